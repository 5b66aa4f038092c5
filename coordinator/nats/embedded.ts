/**
 * A nats-server of the coordinator's own, for installations without one: loopback only, JetStream in the
 * state folder, every write synced. One that a crashed coordinator left behind is adopted, after it has
 * proven to be ours; one that dies while we live is started again.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, open, readFile, readlink, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import type { Clock } from "#proto/common/clock.ts";
import { FailureError, failure } from "#proto/common/failure.ts";
import { causeOf } from "./errors.ts";

export interface EmbeddedOptions {
  readonly binary: string;
  /** Holds store, configuration, log and the record of the running server. */
  readonly folder: string;
  readonly clock: Clock;
  readonly startLimitMs: number;
}

export interface EmbeddedNats {
  readonly url: string;
  /** The present process: another after it died and was started again. */
  readonly pid: () => number;
  readonly adopted: boolean;
  /** Ends the server within the limit; its data stays. */
  stop(): Promise<void>;
}

interface RunRecord {
  readonly pid: number;
  readonly port: number;
}

const stopLimitMs = 10_000;
const lookEveryMs = 250;

export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedNats> {
  await mkdir(join(options.folder, "store"), { recursive: true, mode: 0o700 });
  const left = await leftOver(options);
  return keep(options, left ?? (await launch(options, undefined)), left !== undefined);
}

/** Looks after the server until it is stopped; a dead one comes back on its port, with its data. */
function keep(options: EmbeddedOptions, first: RunRecord, adopted: boolean): EmbeddedNats {
  let record = first;
  const stopped = new AbortController();
  const looking = lookAfter(
    options,
    stopped.signal,
    () => record,
    (next) => {
      record = next;
    },
  );
  return {
    url: urlOf(first),
    pid: () => record.pid,
    adopted,
    stop: async () => {
      stopped.abort();
      await looking;
      await end(record.pid, options.clock);
    },
  };
}

async function lookAfter(
  options: EmbeddedOptions,
  stopped: AbortSignal,
  current: () => RunRecord,
  replace: (next: RunRecord) => void,
): Promise<void> {
  while (!stopped.aborted) {
    await options.clock.sleep(lookEveryMs, stopped).catch(() => undefined);
    if (stopped.aborted || signal(current().pid, 0)) continue;
    // a start that fails is tried again at the next look; meanwhile every read and write says so
    await launch(options, current().port).then(replace, () => undefined);
  }
}

/** A server of ours that still runs: same executable, same configuration file, and its JetStream answers. */
async function leftOver(options: EmbeddedOptions): Promise<RunRecord | undefined> {
  const record = await readFile(runFile(options), "utf8")
    .then((text) => JSON.parse(text) as RunRecord)
    .catch(() => undefined);
  if (record === undefined || !(await isOurs(record.pid, options))) return undefined;
  const answers = await waitForJetStream(record, options).then(
    () => true,
    () => false,
  );
  if (answers) return record;
  await end(record.pid, options.clock);
  return undefined;
}

async function isOurs(pid: number, options: EmbeddedOptions): Promise<boolean> {
  try {
    const executable = (await readlink(`/proc/${pid}/exe`)).replace(/ \(deleted\)$/, "");
    const words = (await readFile(`/proc/${pid}/cmdline`, "utf8")).split("\0");
    return executable.endsWith("nats-server") && words.includes(configurationFile(options));
  } catch {
    return false;
  }
}

async function launch(options: EmbeddedOptions, port: number | undefined): Promise<RunRecord> {
  const ports = join(options.folder, "ports");
  await mkdir(ports, { recursive: true });
  await writeFile(configurationFile(options), configuration(options, ports, port), { mode: 0o600 });
  const log = await open(join(options.folder, "nats.log"), "a");
  try {
    const child = spawn(options.binary, ["-c", configurationFile(options)], {
      stdio: ["ignore", log.fd, log.fd],
      detached: true,
    });
    child.on("error", () => undefined);
    const pid = child.pid;
    if (pid === undefined)
      throw new FailureError(
        failure("nats.not-started", { binary: options.binary, cause: "it cannot be executed" }),
      );
    const record = { pid, port: await portOf(ports, pid, child, options) };
    await waitForJetStream(record, options);
    await writeFile(`${runFile(options)}.new`, JSON.stringify(record));
    await rename(`${runFile(options)}.new`, runFile(options));
    child.unref();
    return record;
  } finally {
    await log.close();
  }
}

function configuration(options: EmbeddedOptions, ports: string, port: number | undefined): string {
  return `listen: "127.0.0.1:${port ?? -1}"
ports_file_dir: "${ports}"
max_payload: 8MB
jetstream {
  store_dir: "${join(options.folder, "store")}"
  sync_interval: always
}
`;
}

/** The server writes its chosen port to <executable>_<pid>.ports. */
async function portOf(
  folder: string,
  pid: number,
  child: ChildProcess,
  options: EmbeddedOptions,
): Promise<number> {
  return poll(options, "the server has not told its port", async () => {
    if (child.exitCode !== null)
      throw new FailureError(
        failure("nats.not-started", {
          binary: options.binary,
          cause: `it ended with ${child.exitCode}; see ${options.folder}/nats.log`,
        }),
      );
    const text = await readFile(join(folder, `nats-server_${pid}.ports`), "utf8");
    const { nats } = JSON.parse(text) as { readonly nats: readonly string[] };
    return Number(new URL((nats[0] ?? "").replace(/^nats:/, "http:")).port) || undefined;
  });
}

async function waitForJetStream(record: RunRecord, options: EmbeddedOptions): Promise<void> {
  await poll(options, "JetStream does not answer", async () => {
    const connection = await connect({ servers: urlOf(record), timeout: 1_000, reconnect: false });
    try {
      await (await jetstreamManager(connection, { timeout: 1_000 })).getAccountInfo();
      return true;
    } finally {
      await connection.close();
    }
  });
}

async function poll<T>(
  { clock, startLimitMs, binary }: EmbeddedOptions,
  what: string,
  look: () => Promise<T | undefined>,
): Promise<T> {
  const endMs = clock.monotonicMs() + startLimitMs;
  let cause = what;
  while (clock.monotonicMs() < endMs) {
    try {
      const found = await look();
      if (found !== undefined) return found;
    } catch (error) {
      if (error instanceof FailureError) throw error;
      cause = `${what}: ${causeOf(error)}`;
    }
    await clock.sleep(25);
  }
  throw new FailureError(failure("nats.not-started", { binary, cause }));
}

async function end(pid: number, clock: Clock): Promise<void> {
  const endMs = clock.monotonicMs() + stopLimitMs;
  if (!signal(pid, "SIGTERM")) return;
  while (signal(pid, 0)) {
    if (clock.monotonicMs() > endMs) signal(pid, "SIGKILL");
    await clock.sleep(25);
  }
}

function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}

function urlOf({ port }: RunRecord): string {
  return `nats://127.0.0.1:${port}`;
}

function configurationFile({ folder }: EmbeddedOptions): string {
  return join(folder, "nats.conf");
}

function runFile({ folder }: EmbeddedOptions): string {
  return join(folder, "running.json");
}
