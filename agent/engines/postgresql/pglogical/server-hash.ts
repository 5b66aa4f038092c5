/**
 * The hash that PostgreSQL 10 to 18 give of bytes (hash_any, and hashtext of a text): Bob Jenkins' lookup3 with the server's own
 * beginning, as it comes out on little-endian machines, and taken as unsigned.
 */

type Words = readonly [number, number, number];

export function serverHash(bytes: Uint8Array): number {
  const start = (0x9e3779b9 + bytes.length + 3_923_095) >>> 0;
  let words: Words = [start, start, start];
  let at = 0;
  for (; bytes.length - at >= 12; at += 12) words = mixed(added(words, bytes, { at, length: 12 }));
  return closed(added(words, bytes, { at, length: bytes.length - at }));
}

/** The lowest byte of the last word is kept for the length where fewer than twelve are left. */
function added(
  words: Words,
  bytes: Uint8Array,
  { at, length }: { readonly at: number; readonly length: number },
): Words {
  const sums: [number, number, number] = [...words];
  for (let index = 0; index < length; index += 1) {
    const word = index >> 2;
    const isShifted = length < 12 && word === 2;
    const shift = 8 * ((index & 3) + (isShifted ? 1 : 0));
    sums[word as 0 | 1 | 2] = (sums[word as 0 | 1 | 2] + ((bytes[at + index] ?? 0) << shift)) | 0;
  }
  return sums;
}

function turned(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}

const mixTurns = [4, 6, 8, 16, 19, 4];

function mixed([first, second, third]: Words): Words {
  let [a, b, c] = [first, second, third];
  for (const turn of mixTurns) {
    // each round the three words change places
    const next = ((a - c) ^ turned(c, turn)) | 0;
    [a, b, c] = [b, (c + b) | 0, next];
  }
  return [a, b, c];
}

const closeTurns = [14, 11, 25, 16, 4, 14, 24];

function closed([first, second, third]: Words): number {
  let [a, b, c] = [first, second, third];
  for (const turn of closeTurns) {
    const next = ((c ^ b) - turned(b, turn)) | 0;
    [a, b, c] = [b, next, a];
  }
  return b >>> 0;
}
