/**
 * A nats-server of the coordinator's own, for installations without one: loopback only, JetStream in the state
 * folder, every write synced. One that a crashed coordinator left behind is adopted; one that dies while we live
 * is started again on its port, with its data. Never two on one store: the folder must be the caller's alone.
 */
import { randomBytes } from "node:crypto";
import { readFile, realpath, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock, Random } from "#proto/common/clock.ts";
import { type Failure, FailureError } from "#proto/common/failure.ts";
import { makeFolders } from "#proto/common/make-folders.ts";
import { unreachable } from "./errors.ts";
import { withoutToken } from "./server-address.ts";
import {
  adopt,
  end,
  isOurs,
  launch,
  type RunningServer,
  runningServers,
  type ServerPlace,
  urlOf,
} from "./server-process.ts";

export interface EmbeddedOptions {
  readonly binary: string;
  /** Holds store, configuration, log and the record of the running server. */
  readonly folder: string;
  readonly clock: Clock;
  readonly startLimitMs: number;
  readonly random?: Random;
  /** Told when the server has died, and when a start of it has failed. */
  readonly trouble?: (cause: Failure | "died", pid: number) => void;
}

export interface EmbeddedNats {
  readonly url: string;
  /** The present process: another after it died and was started again. */
  readonly pid: () => number;
  readonly adopted: boolean;
  /** Ends the server within 15 s; its data stays. */
  stop(): Promise<void>;
}

const lookEveryMs = 250;
const longestPauseMs = 10_000;

export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedNats> {
  await makeFolders(join(options.folder, "store"), 0o700);
  // one spelling, whatever link led here: by this path a left-over server is known again
  const folder = await realpath(options.folder);
  const token = await ownToken(join(folder, "token"));
  return new Embedded({ ...options, folder }, token).begin();
}

/** Made at the first start, readable by the coordinator's user alone. */
async function ownToken(file: string): Promise<string> {
  const kept = await readFile(file, "utf8").catch(() => "");
  if (kept !== "") return kept;
  const token = randomBytes(24).toString("hex");
  await writeFile(`${file}.new`, token, { mode: 0o600 });
  await rename(`${file}.new`, file);
  return token;
}

class Embedded implements EmbeddedNats {
  readonly #options: EmbeddedOptions;
  readonly #place: ServerPlace;
  readonly #stopped = new AbortController();
  #server: RunningServer = { pid: 0, port: 0 };
  #adopted = false;
  #looking = Promise.resolve();

  constructor(options: EmbeddedOptions, token: string) {
    this.#options = options;
    this.#place = { ...options, token };
  }

  get url(): string {
    return urlOf(this.#place, this.#server);
  }

  get adopted(): boolean {
    return this.#adopted;
  }

  readonly pid = (): number => this.#server.pid;

  async begin(): Promise<this> {
    const left = await this.#leftOver();
    this.#adopted = left !== undefined;
    this.#server = left ?? (await launch(this.#place, undefined, this.#stopped.signal));
    await this.#record();
    this.#looking = this.#lookAfter();
    return this;
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#looking;
    await end(this.#place, this.#server.pid);
  }

  /** One that answers is adopted; any other must be gone before a new one may open the store. */
  async #leftOver(): Promise<RunningServer | undefined> {
    const pids = await runningServers(this.#place);
    const [pid] = pids;
    if (pids.length === 1 && pid !== undefined) {
      const running = await adopt(this.#place, pid).catch(() => undefined);
      if (running !== undefined) return running;
    }
    await Promise.all(pids.map((each) => end(this.#place, each)));
    return undefined;
  }

  async #lookAfter(): Promise<void> {
    const { clock, trouble } = this.#options;
    const { signal } = this.#stopped;
    for (let failures = 0; !signal.aborted; ) {
      await clock
        .sleep(failures === 0 ? lookEveryMs : this.#pauseMs(failures), signal)
        .catch(() => undefined);
      if (signal.aborted || (await isOurs(this.#place, this.#server.pid))) continue;
      if (failures === 0) trouble?.("died", this.#server.pid);
      try {
        this.#server = await launch(this.#place, this.#server.port, signal);
        await this.#record();
        failures = 0;
      } catch (error) {
        failures += 1;
        if (!signal.aborted) trouble?.(whyOf(error), this.#server.pid);
      }
    }
  }

  #pauseMs(failures: number): number {
    const { random = () => 0.5 } = this.#options;
    return Math.min(longestPauseMs, lookEveryMs * 2 ** failures) * (0.5 + random());
  }

  /** For people; what runs is found in the process table. */
  async #record(): Promise<void> {
    const file = join(this.#place.folder, "running.json");
    await writeFile(`${file}.new`, `${JSON.stringify({ ...this.#server, url: withoutToken(this.url) })}\n`);
    await rename(`${file}.new`, file);
  }
}

function whyOf(error: unknown): Failure {
  return error instanceof FailureError ? error.failure : unreachable(error).failure;
}
