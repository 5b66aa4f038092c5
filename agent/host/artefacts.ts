/**
 * Artefacts from the coordinator into the agent's own folder, named by their digest. A fetch that was cut off goes
 * on from the byte it had; what does not prove its digest is thrown away whole.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { access, open, rename, rm, stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Clock } from "#proto/common/clock.ts";
import { type Failure, fail, failure, type Outcome, succeed } from "#proto/common/failure.ts";
import { makeFolderDurably, syncFolder } from "./file-runner.ts";

export interface Piece {
  readonly chunk: Uint8Array;
  readonly totalBytes: number;
}

export interface ArtefactsOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly bytesPerSecond: number;
  /** Opens the coordinator's stream from `offset`; throws when there is no coordinator. */
  readonly source: (digest: string, offset: number, signal: AbortSignal) => AsyncIterable<Piece>;
}

export type Fetched = { readonly path: string } | { readonly failure: Failure };

/** Left free on the file system beyond the artefact itself. */
const reserveBytes = 64 * 1024 * 1024;
const shortestPauseMs = 200;
const longestPauseMs = 5_000;

export class Artefacts {
  readonly #options: ArtefactsOptions;
  readonly #underway = new Map<string, Promise<Fetched>>();

  constructor(options: ArtefactsOptions) {
    this.#options = options;
  }

  pathOf(digest: string): string {
    return join(this.#options.folder, digest);
  }

  /** Tries again until the signal aborts; two who want the same artefact share one fetch. */
  fetch(digest: string, signal: AbortSignal): Promise<Fetched> {
    if (!/^[0-9a-f]{64}$/.test(digest))
      return Promise.resolve({ failure: failure("artefact.digest-malformed", { digest }) });
    const underway =
      this.#underway.get(digest) ?? this.#fetch(digest, signal).finally(() => this.#underway.delete(digest));
    this.#underway.set(digest, underway);
    return underway;
  }

  async #fetch(digest: string, signal: AbortSignal): Promise<Fetched> {
    const path = this.pathOf(digest);
    await makeFolderDurably(this.#options.folder);
    if (await isThere(path))
      return (await digestOf(path)) === digest ? { path } : this.#discard(path, digest);
    const part = `${path}.part`;
    let cause = "";
    for (let tries = 0; !signal.aborted; tries++) {
      const got = await this.#continue(digest, part, signal).catch((error: unknown) =>
        fail("artefact.cut-off", { cause: String(error) }),
      );
      if (got.ok) return this.#prove(digest, part);
      if (got.failure.code !== "artefact.cut-off") return { failure: got.failure };
      cause = got.failure.facts["cause"] ?? "";
      const pauseMs = Math.min(longestPauseMs, shortestPauseMs * 2 ** Math.min(tries, 10));
      await this.#options.clock.sleep(pauseMs, signal).catch(() => undefined);
    }
    return { failure: failure("artefact.not-fetched", { digest, cause }) };
  }

  async #continue(digest: string, part: string, signal: AbortSignal): Promise<Outcome<void>> {
    const file = await open(part, "a", 0o600);
    try {
      let offset = (await file.stat()).size;
      let total = Number.POSITIVE_INFINITY;
      let allowedAtMs = this.#options.clock.monotonicMs();
      for await (const { chunk, totalBytes } of this.#options.source(digest, offset, signal)) {
        if (total !== totalBytes) {
          total = totalBytes;
          const full = await this.#whyNoRoom(totalBytes - offset);
          if (full !== undefined) return { ok: false, failure: full };
        }
        await file.writeFile(chunk);
        offset += chunk.length;
        allowedAtMs =
          Math.max(allowedAtMs, this.#options.clock.monotonicMs() - 1_000) +
          (chunk.length * 1_000) / this.#options.bytesPerSecond;
        const waitMs = allowedAtMs - this.#options.clock.monotonicMs();
        if (waitMs > 0) await this.#options.clock.sleep(waitMs, signal);
      }
      if (offset < total) return fail("artefact.cut-off", { cause: `the stream ended at byte ${offset}` });
      await file.sync();
      return succeed(undefined);
    } finally {
      await file.close();
    }
  }

  async #prove(digest: string, part: string): Promise<Fetched> {
    if ((await digestOf(part)) !== digest) return this.#discard(part, digest);
    const path = this.pathOf(digest);
    await rename(part, path);
    await syncFolder(dirname(path));
    return { path };
  }

  async #discard(path: string, digest: string): Promise<Fetched> {
    const { size } = await stat(path);
    await rm(path, { force: true });
    return { failure: failure("artefact.digest-differs", { digest, bytes: String(size) }) };
  }

  async #whyNoRoom(bytes: number): Promise<Failure | undefined> {
    const { bavail, bsize } = await statfs(this.#options.folder);
    if (bavail * bsize >= bytes + reserveBytes) return undefined;
    return failure("artefact.no-room", { bytes: String(bytes), availableBytes: String(bavail * bsize) });
  }
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
