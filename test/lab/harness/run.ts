// Runs one program to its end, whatever that end is: every run has a deadline, a bounded output and a
// process group of its own, and a non-zero exit is an answer, not an exception.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

export interface RunOptions {
  /** Wall-clock limit in milliseconds; after it the whole process group is killed. Default 30 s. */
  readonly timeoutMs?: number;
  /** Given to the program as its standard input; without it the input is empty. */
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** How many bytes of each output are kept; the rest is dropped from the front. Default 8 MiB. */
  readonly maxBytes?: number;
}

export interface RunResult {
  /** Exit code; null when it ended by a signal, could not be started, or ran into its limit. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly timedOut: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_MAX_BYTES = 8 * 1024 * 1024;
// An orphan may hold the pipes open after the program has ended; its output is not waited for longer than this.
const PIPE_GRACE_MS = 200;

/** Runs `argv` and answers with what it said and how it ended; never rejects. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const [file = "", ...args] = argv;
  const child = spawn(file, args, {
    cwd: options.cwd ?? "/",
    env: { ...(options.env ?? cleanEnvironment()) },
    detached: true,
    stdio: "pipe",
  });
  const stdout = keepTail(child.stdout, options.maxBytes ?? DEFAULT_MAX_BYTES);
  const stderr = keepTail(child.stderr, options.maxBytes ?? DEFAULT_MAX_BYTES);
  child.stdin.on("error", () => {}); // a program may end without reading its input
  child.stdin.end(options.input ?? "");
  const { failure, ...ended } = await endOf(child, options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  return { ...ended, stdout: stdout(), stderr: failure + stderr() };
}

/** As `run`, but throws with the last lines when the program does not end with 0. For the harness's own tools. */
export async function mustRun(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const result = await run(argv, options);
  if (result.code === 0) return result.stdout;
  throw new Error(
    `${argv.join(" ")}: ${describeEnd(result)}\n${(result.stdout + result.stderr).slice(-2000)}`,
  );
}

/** One phrase for how a program ended, for messages. */
export function describeEnd(result: RunResult): string {
  if (result.timedOut) return "ran into its limit";
  return result.code === null ? `ended by ${result.signal ?? "a failed start"}` : `exit code ${result.code}`;
}

/** Only what a root shell has: nothing of the caller's environment decides what a host does. */
export function cleanEnvironment(): Record<string, string> {
  return {
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    HOME: "/root",
    LANG: "C.UTF-8",
    LC_ALL: "C.UTF-8",
  };
}

interface End {
  code: number | null;
  signal: NodeJS.Signals | null;
  timedOut: boolean;
  failure: string;
}

async function endOf(child: ChildProcess, timeoutMs: number): Promise<End> {
  const end: End = { code: null, signal: null, timedOut: false, failure: "" };
  const limit = setTimeout(() => {
    end.timedOut = true;
    killGroup(child);
  }, timeoutMs);
  const closed = once(child, "close").catch(() => undefined);
  try {
    const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
    end.code = end.timedOut ? null : code;
    end.signal = signal;
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, PIPE_GRACE_MS).unref())]);
  } catch (error) {
    end.failure = `${error instanceof Error ? error.message : String(error)}\n`;
  } finally {
    clearTimeout(limit);
    child.stdout?.destroy();
    child.stderr?.destroy();
  }
  return end;
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // it has ended in this very moment
  }
}

function keepTail(stream: NodeJS.ReadableStream, maxBytes: number): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    while (size - (chunks[0]?.length ?? 0) >= maxBytes) size -= chunks.shift()?.length ?? 0;
  });
  return () => Buffer.concat(chunks).toString("utf8");
}
