/**
 * Files of a rollout that one node makes for another, over the coordinator: no port is open on a database host, and
 * hosts of two clusters may not reach each other. What the coordinator has already under a digest is not sent again.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "#proto/common/clock.ts";
import { FailureError, failure, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Parcels } from "../verb.ts";
import { Artefacts, type Piece } from "./artefacts.ts";

export interface ParcelHeader {
  readonly rollout: string;
  readonly name: string;
  readonly digest: string;
  readonly totalBytes: number;
}

/** The coordinator's side; every call throws when there is none, a FailureError when it refuses. */
export interface ParcelPost {
  send(header: ParcelHeader, chunks: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>;
  /** undefined: nothing was sent under this name. */
  find(rollout: string, name: string): Promise<{ readonly digest: string } | undefined>;
  fetch(rollout: string, digest: string, offset: number, signal: AbortSignal): AsyncIterable<Piece>;
}

export interface ParcelsOptions {
  /** Receives one folder a rollout. */
  readonly folder: string;
  readonly clock: Clock;
  readonly bytesPerSecond: number;
  readonly post: ParcelPost;
}

const shortestPauseMs = 200;
const longestPauseMs = 5_000;

function folderOf({ folder }: Pick<ParcelsOptions, "folder">, rollout: string): string {
  return join(folder, Buffer.from(rollout).toString("base64url"));
}

/** Of a rollout that is over: what was fetched may be secret, and is needed no more. */
export async function discardParcels(
  options: Pick<ParcelsOptions, "folder">,
  rollout: string,
): Promise<void> {
  await rm(folderOf(options, rollout), { recursive: true, force: true });
}

export function parcelsOf(options: ParcelsOptions, rollout: string, signal: AbortSignal): Parcels {
  const folder = folderOf(options, rollout);
  const { clock, bytesPerSecond, post } = options;
  const artefacts = new Artefacts({
    folder,
    clock,
    bytesPerSecond,
    source: (digest, offset, until) => post.fetch(rollout, digest, offset, until),
  });
  const endOf = (until?: AbortSignal) => (until === undefined ? signal : AbortSignal.any([signal, until]));
  return {
    folder,
    send: (name, path, until) => sendFile(options, { rollout, name, path }, endOf(until)),
    find: (name, until) => persist(clock, endOf(until), () => post.find(rollout, name)),
    fetch: async (digest) => {
      const got = await artefacts.fetch(digest, signal);
      return "path" in got ? succeed(got.path) : { ok: false, failure: got.failure };
    },
  };
}

async function sendFile(
  { clock, bytesPerSecond, post }: ParcelsOptions,
  { rollout, name, path }: { readonly rollout: string; readonly name: string; readonly path: string },
  signal: AbortSignal,
): Promise<Outcome<string>> {
  const [digest, { size }] = [await digestOf(path), await stat(path)];
  const header = { rollout, name, digest, totalBytes: size };
  return persist(clock, signal, async () => {
    const had = await post.find(rollout, name);
    if (had?.digest !== digest)
      await post.send(header, paced(createReadStream(path), { clock, bytesPerSecond }), signal);
    return digest;
  });
}

/** Tries again until the signal aborts, which no call that hangs outlives; a refusal is final. */
async function persist<T>(clock: Clock, signal: AbortSignal, work: () => Promise<T>): Promise<Outcome<T>> {
  let cause = "";
  for (let tries = 0; !signal.aborted; tries += 1) {
    try {
      return succeed(await endedBy(signal, work()));
    } catch (error) {
      if (error instanceof FailureError) return { ok: false, failure: error.failure };
      if (cause === "" || !signal.aborted) cause = error instanceof Error ? error.message : String(error);
    }
    const pauseMs = Math.min(longestPauseMs, shortestPauseMs * 2 ** Math.min(tries, 10));
    await clock.sleep(pauseMs, signal).catch(() => undefined);
  }
  return { ok: false, failure: failure("parcel.not-carried", { cause }) };
}

async function endedBy<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  let end = () => {};
  const ended = new Promise<never>((_, reject) => {
    end = () => reject(new Error("no answer within its time"));
    signal.addEventListener("abort", end, { once: true });
  });
  try {
    return await Promise.race([work, ended]);
  } finally {
    signal.removeEventListener("abort", end);
  }
}

async function* paced(
  chunks: AsyncIterable<Uint8Array>,
  { clock, bytesPerSecond }: Pick<ParcelsOptions, "clock" | "bytesPerSecond">,
): AsyncGenerator<Uint8Array> {
  const beganMs = clock.monotonicMs();
  let sent = 0;
  for await (const chunk of chunks) {
    yield chunk;
    sent += chunk.byteLength;
    const dueMs = beganMs + (sent * 1_000) / bytesPerSecond;
    if (dueMs > clock.monotonicMs()) await clock.sleep(dueMs - clock.monotonicMs());
  }
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
