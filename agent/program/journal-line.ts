/**
 * Lines of the journal: `CRC JSON\n`, where the checksum is seeded with the one before it, so that a lost or
 * exchanged line in the middle is found. One line is one write and one sync: only the last can be torn.
 */
import { crc32 } from "node:zlib";
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import { unknownFormat } from "#proto/common/format.ts";
import { journalFormat, type Recorded } from "./entry.ts";

export interface Reading {
  readonly records: readonly Recorded[];
  /** Bytes that are whole; what follows them is a torn last line. */
  readonly goodBytes: number;
  readonly tornBytes: number;
  /** Checksum of the last whole line: the seed of the next. */
  readonly seed: number;
}

export function encodeLine(
  records: readonly Recorded[],
  seed: number,
): { readonly bytes: Buffer; readonly seed: number } {
  const json = JSON.stringify(records);
  const sum = crc32(json, seed);
  return { bytes: Buffer.from(`${sum.toString(16).padStart(8, "0")} ${json}\n`), seed: sum };
}

/**
 * Refused: `journal.format-unknown`, said before a further line is looked at; `journal.damaged` when anything but the
 * last line cannot be proven whole.
 */
export function readLines(content: Uint8Array): Outcome<Reading> {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  const records: Recorded[] = [];
  let seed = 0;
  let good = 0;
  for (let line = 1; good < bytes.length; line++) {
    const found = bytes.indexOf(0x0a, good);
    const end = found < 0 ? bytes.length : found;
    const decoded = decodeLine(bytes.toString("utf8", good, end), seed, records.at(-1)?.n ?? -1);
    if (decoded === undefined || found < 0) {
      if (found >= 0 && found + 1 < bytes.length)
        return fail("journal.damaged", { line: String(line), byte: String(good) });
      break;
    }
    records.push(...decoded.records);
    const unknown = line === 1 ? unknownFormat(records[0], journalFormat) : undefined;
    if (unknown !== undefined) return fail("journal.format-unknown", unknown);
    seed = decoded.seed;
    good = found + 1;
  }
  return succeed({ records, goodBytes: good, tornBytes: bytes.length - good, seed });
}

function decodeLine(
  text: string,
  seed: number,
  lastSequence: number,
): { records: Recorded[]; seed: number } | undefined {
  const json = text.slice(9);
  const sum = crc32(json, seed);
  if (text.slice(0, 9) !== `${sum.toString(16).padStart(8, "0")} `) return undefined;
  const records = JSON.parse(json) as Recorded[];
  const rises = records.every((record, i) => record.n > (records[i - 1]?.n ?? lastSequence));
  return rises ? { records, seed: sum } : undefined;
}
