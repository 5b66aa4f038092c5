/** The last bytes of an output, whole characters only: what a person sees of a tool, never the whole of it. */
import { open } from "node:fs/promises";

const tailBytes = 64 * 1024;

/** Keeps the last `limit` bytes of what it is given. */
export class Tail {
  readonly #limit: number;
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(limit: number = tailBytes) {
    this.#limit = limit;
  }

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    while (this.#bytes - (this.#chunks[0]?.length ?? 0) >= this.#limit)
      this.#bytes -= this.#chunks.shift()?.length ?? 0;
  }

  text(): string {
    return lastText(Buffer.concat(this.#chunks), this.#limit);
  }
}

/** The end of a file; empty where there is none. */
export async function tailOfFile(path: string, limit: number = tailBytes): Promise<string> {
  const file = await open(path, "r").catch(() => undefined);
  if (file === undefined) return "";
  try {
    const { size } = await file.stat();
    const length = Math.min(size, limit);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return lastText(buffer.subarray(0, bytesRead), limit);
  } finally {
    await file.close();
  }
}

/** At most `limit` bytes of UTF-8, cut at the front between two characters. */
function lastText(bytes: Buffer, limit: number): string {
  let from = Math.max(0, bytes.length - limit);
  if (from > 0) while (from < bytes.length && ((bytes[from] ?? 0) & 0xc0) === 0x80) from++;
  return bytes.toString("utf8", from);
}
