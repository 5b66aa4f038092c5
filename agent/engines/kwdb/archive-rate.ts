/**
 * How fast this host archives: a bounded sample written to the folder for archives, made durable, read again and
 * hashed. Measured once an hour at most, so that looking at a node stays cheap.
 */
import { createHash, randomFillSync } from "node:crypto";
import { open, rm } from "node:fs/promises";
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Host } from "../../verb.ts";
import { causeOf } from "./files.ts";
import { freeBytes } from "./space.ts";

const sampleBytes = 64 * 1024 ** 2;
const sampleMs = 2_000;
const blockBytes = 1024 ** 2;
const validMs = 60 * 60_000;

export interface Rate {
  readonly bytesPerSecond: number;
}

export class ArchiveRate {
  #last: { readonly rate: Rate; readonly atMs: number } | undefined;
  #underway: Promise<Outcome<Rate>> | undefined;

  /** Refused: `kwdb.archive-rate-no-room`, `kwdb.archive-rate-failed`. A failure is not remembered. */
  async read(host: Host, folder: string, signal: AbortSignal): Promise<Outcome<Rate>> {
    const last = this.#last;
    if (last !== undefined && host.clock.monotonicMs() - last.atMs < validMs) return succeed(last.rate);
    // several who ask at once would slow each other down
    this.#underway ??= this.#measure(host, folder, signal).finally(() => {
      this.#underway = undefined;
    });
    return this.#underway;
  }

  async #measure(host: Host, folder: string, signal: AbortSignal): Promise<Outcome<Rate>> {
    const free = await freeBytes(host, folder);
    if (!free.ok) return free;
    if (free.value < 2 * sampleBytes)
      return fail("kwdb.archive-rate-no-room", { folder, free: String(free.value) });
    try {
      const rate = await sample(host, folder, signal);
      this.#last = { rate, atMs: host.clock.monotonicMs() };
      return succeed(rate);
    } catch (error) {
      return fail("kwdb.archive-rate-failed", { folder, cause: causeOf(error) });
    }
  }
}

async function sample({ clock, path }: Host, folder: string, signal: AbortSignal): Promise<Rate> {
  const name = path(`${folder}/.rate-sample-${process.pid}`);
  const file = await open(name, "wx+", 0o600);
  try {
    // without a name from here on: nothing of it stays, whatever happens
    await rm(name);
    const block = randomFillSync(Buffer.alloc(blockBytes));
    const beganMs = clock.monotonicMs();
    let bytes = 0;
    while (bytes < sampleBytes && (bytes === 0 || clock.monotonicMs() - beganMs < sampleMs)) {
      signal.throwIfAborted();
      bytes += (await file.write(block, 0, block.length, bytes)).bytesWritten;
    }
    await file.datasync();
    const hash = createHash("sha256");
    for (let at = 0; at < bytes; at += block.length) {
      signal.throwIfAborted();
      const { bytesRead } = await file.read(block, 0, block.length, at);
      hash.update(block.subarray(0, bytesRead));
    }
    hash.digest();
    const tookMs = Math.max(1, clock.monotonicMs() - beganMs);
    return { bytesPerSecond: Math.round((bytes * 1_000) / tookMs) };
  } finally {
    await file.close();
  }
}
