/**
 * Packages by digest in a folder. A package is received beside its place, synced, proven, and only then
 * renamed into it: what stands under a digest has that digest.
 */
import { createHash } from "node:crypto";
import { open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "#proto/common/clock.ts";
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import { makeFolders } from "#proto/common/make-folders.ts";
import type { ArtefactFacts } from "../domain/playbook.ts";
import type { ArtefactShelf } from "./control-port.ts";

const chunkBytes = 64 * 1024;

export interface ArtefactFolderOptions {
  readonly folder: string;
  readonly clock: Clock;
  /** Per stream, so that staging never fills the network of the hosts. */
  readonly bytesPerSecond: number;
}

export class ArtefactFolder implements ArtefactShelf {
  readonly #options: ArtefactFolderOptions;
  #received = 0;

  constructor(options: ArtefactFolderOptions) {
    this.#options = options;
  }

  async push(
    header: { readonly name: string; readonly digest: string; readonly totalBytes: number },
    chunks: AsyncIterable<Uint8Array>,
  ): Promise<Outcome<string>> {
    const { name, digest, totalBytes } = header;
    if (!/^[0-9a-f]{64}$/.test(digest)) return fail("artefact.digest-malformed", { digest });
    await makeFolders(this.#options.folder, 0o700);
    this.#received += 1;
    const beside = join(this.#options.folder, `.${digest}.${process.pid}.${this.#received}`);
    try {
      const found = await receive(beside, chunks, totalBytes);
      if (found.bytes !== totalBytes)
        return fail("artefact.truncated", { name, wanted: String(totalBytes), got: String(found.bytes) });
      if (found.digest !== digest)
        return fail("artefact.digest-wrong", { name, wanted: digest, got: found.digest });
      await writeFile(`${this.#path(digest)}.name`, name);
      await rename(beside, this.#path(digest));
      return succeed(digest);
    } finally {
      await rm(beside, { force: true });
    }
  }

  async list(): Promise<
    readonly { readonly digest: string; readonly name: string; readonly totalBytes: number }[]
  > {
    const names = await readdir(this.#options.folder).catch(() => []);
    const found = await Promise.all(
      names.filter((name) => /^[0-9a-f]{64}$/.test(name)).map((digest) => this.facts(digest)),
    );
    return found.flatMap((each) =>
      each === undefined ? [] : [{ digest: each.digest, name: each.name, totalBytes: each.totalBytes }],
    );
  }

  /** undefined: nobody has pushed it. */
  async facts(digest: string): Promise<ArtefactFacts | undefined> {
    try {
      const { size } = await stat(this.#path(digest));
      const name = await readFile(`${this.#path(digest)}.name`, "utf8").catch(() => digest);
      return { digest, name, totalBytes: size, facts: {} };
    } catch {
      return undefined;
    }
  }

  async *fetch(
    digest: string,
    offset: number,
  ): AsyncGenerator<{ readonly chunk: Uint8Array; readonly totalBytes: number }> {
    const { clock, bytesPerSecond } = this.#options;
    const file = await open(this.#path(digest), "r");
    try {
      const { size } = await file.stat();
      const buffer = Buffer.alloc(chunkBytes);
      const beganMs = clock.monotonicMs();
      // an empty file, or one that its taker has to the last byte: how long it is must be told all the same
      if (offset >= size) yield { chunk: Buffer.alloc(0), totalBytes: size };
      for (let at = offset; at < size; ) {
        const { bytesRead } = await file.read(buffer, 0, chunkBytes, at);
        if (bytesRead === 0) break;
        at += bytesRead;
        yield { chunk: Buffer.from(buffer.subarray(0, bytesRead)), totalBytes: size };
        const dueMs = beganMs + ((at - offset) / bytesPerSecond) * 1_000;
        if (dueMs > clock.monotonicMs()) await clock.sleep(dueMs - clock.monotonicMs());
      }
    } finally {
      await file.close();
    }
  }

  #path(digest: string): string {
    return join(this.#options.folder, digest);
  }
}

/** Stops reading as soon as more comes than was announced. */
async function receive(path: string, chunks: AsyncIterable<Uint8Array>, limitBytes: number) {
  const hash = createHash("sha256");
  const file = await open(path, "wx", 0o600);
  let bytes = 0;
  try {
    for await (const chunk of chunks) {
      bytes += chunk.byteLength;
      if (bytes > limitBytes) break;
      hash.update(chunk);
      await file.write(chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return { bytes, digest: hash.digest("hex") };
}
