/**
 * The process of a nats-server of our own: started with a configuration file in its folder, known again by that
 * file's path in its command line, and ended by its pid only while it proves to be that process.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { open, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Clock } from "#proto/common/clock.ts";
import { FailureError, failure } from "#proto/common/failure.ts";
import { makeFolders } from "#proto/common/make-folders.ts";
import { jetStreamAnswers } from "./answers.ts";
import { causeOf } from "./errors.ts";

export interface ServerPlace {
  readonly binary: string;
  /** Real path of a folder that no other coordinator uses. Holds store, configuration, log and ports. */
  readonly folder: string;
  readonly clock: Clock;
  readonly startLimitMs: number;
  /** Without it the server answers nobody: every user of the host can reach the loopback interface. */
  readonly token: string;
}

export interface RunningServer {
  readonly pid: number;
  readonly port: number;
}

const termLimitMs = 10_000;
const killLimitMs = 5_000;
const lookEveryMs = 25;

/** Starts the server and waits until its JetStream answers; a start that fails leaves no process behind. */
export async function launch(
  place: ServerPlace,
  port: number | undefined,
  signal: AbortSignal,
): Promise<RunningServer> {
  await rm(portsFolder(place), { recursive: true, force: true });
  await makeFolders(portsFolder(place), 0o755);
  await writeFile(configurationFile(place), configuration(place, port), { mode: 0o600 });
  const child = await spawnServer(place);
  const { pid } = child;
  if (pid === undefined) throw notStarted(place, "it cannot be executed");
  try {
    return await ready(place, pid, async () => {
      if (signal.aborted) throw notStarted(place, "it was told to end before it answered");
      if (child.exitCode !== null || child.signalCode !== null)
        throw notStarted(
          place,
          `it ended with ${child.exitCode ?? child.signalCode}: ${await lastWords(place)}`,
        );
    });
  } catch (error) {
    await end(place, pid);
    throw error;
  }
}

/** A server that runs already, once its JetStream answers. Throws FailureError `nats.not-started`. */
export function adopt(place: ServerPlace, pid: number): Promise<RunningServer> {
  return ready(place, pid, async () => {
    if (!(await isOurs(place, pid))) throw notStarted(place, "it ended while it was being adopted");
  });
}

/** Servers that run with this folder's configuration file, whoever started them. */
export async function runningServers(place: ServerPlace): Promise<readonly number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const ours = await Promise.all(pids.map((pid) => isOurs(place, pid)));
  return pids.filter((_, index) => ours[index]);
}

/** A zombie has no executable, and a pid used again has another: neither is ours. */
export async function isOurs(place: ServerPlace, pid: number): Promise<boolean> {
  try {
    const executable = basename(await readlink(`/proc/${pid}/exe`));
    const words = (await readFile(`/proc/${pid}/cmdline`, "utf8")).split("\0");
    return executable.startsWith("nats-server") && words.includes(configurationFile(place));
  } catch {
    return false;
  }
}

/** TERM, then KILL; returns when the process is gone, or could not be killed within the limits. */
export async function end(place: ServerPlace, pid: number): Promise<void> {
  for (const [name, limitMs] of [
    ["SIGTERM", termLimitMs],
    ["SIGKILL", killLimitMs],
  ] as const) {
    if (!(await isOurs(place, pid))) return;
    tell(pid, name);
    const endMs = place.clock.monotonicMs() + limitMs;
    while ((await isOurs(place, pid)) && place.clock.monotonicMs() < endMs)
      await place.clock.sleep(lookEveryMs);
  }
}

export function urlOf({ token }: ServerPlace, { port }: RunningServer): string {
  return `nats://${token}@127.0.0.1:${port}`;
}

function tell(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // it went by itself
  }
}

async function spawnServer(place: ServerPlace): Promise<ChildProcess> {
  const log = await open(logFile(place), "a", 0o600);
  try {
    const child = spawn(place.binary, ["-c", configurationFile(place)], {
      stdio: ["ignore", log.fd, log.fd],
      // it outlives a coordinator that crashes, and Ctrl-C in the coordinator's terminal is not for it
      detached: true,
    });
    child.on("error", () => undefined);
    child.unref();
    return child;
  } finally {
    await log.close();
  }
}

function configuration(place: ServerPlace, port: number | undefined): string {
  return `listen: "127.0.0.1:${port ?? -1}"
ports_file_dir: ${JSON.stringify(portsFolder(place))}
authorization { token: ${JSON.stringify(place.token)} }
max_payload: 8MB
jetstream {
  store_dir: ${JSON.stringify(join(place.folder, "store"))}
  sync_interval: always
}
`;
}

/** Waits for the port that it chose, and for JetStream there; `stillThere` throws when there is no use in waiting. */
async function ready(
  place: ServerPlace,
  pid: number,
  stillThere: () => Promise<void>,
): Promise<RunningServer> {
  const { clock, startLimitMs } = place;
  const endMs = clock.monotonicMs() + startLimitMs;
  for (let cause = ""; ; ) {
    await stillThere();
    try {
      const running = { pid, port: await toldPort(place, pid) };
      await jetStreamAnswers(urlOf(place, running));
      return running;
    } catch (error) {
      cause = causeOf(error);
    }
    if (clock.monotonicMs() >= endMs) throw notStarted(place, `within ${startLimitMs} ms: ${cause}`);
    await clock.sleep(lookEveryMs);
  }
}

/** The server writes its chosen port to <executable>_<pid>.ports. */
async function toldPort(place: ServerPlace, pid: number): Promise<number> {
  const names = await readdir(portsFolder(place));
  const name = names.find((each) => each.endsWith(`_${pid}.ports`));
  if (name === undefined) throw new Error("it has not told its port");
  const { nats } = JSON.parse(await readFile(join(portsFolder(place), name), "utf8")) as {
    readonly nats: readonly string[];
  };
  return Number(new URL((nats[0] ?? "").replace(/^nats:/, "http:")).port);
}

async function lastWords(place: ServerPlace): Promise<string> {
  const text = await readFile(logFile(place), "utf8").catch(() => "");
  return text.trimEnd().split("\n").at(-1) ?? "";
}

function notStarted({ binary }: ServerPlace, cause: string): FailureError {
  return new FailureError(failure("nats.not-started", { binary, cause }));
}

const configurationFile = ({ folder }: ServerPlace) => join(folder, "nats.conf");
const logFile = ({ folder }: ServerPlace) => join(folder, "nats.log");
const portsFolder = ({ folder }: ServerPlace) => join(folder, "ports");
