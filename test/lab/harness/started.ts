// A program that runs on until it is told to end: its output goes to a file, its end can be waited for.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { cleanEnvironment } from "./run.ts";

export interface StartOptions {
  /** Standard output and standard error, appended. */
  readonly outputFile: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

export interface Started extends AsyncDisposable {
  readonly pid: number;
  /** Settles with the exit code, or null after a signal or a failed start. */
  readonly ended: Promise<number | null>;
  readonly isRunning: boolean;
  kill(signal: NodeJS.Signals): void;
  output(): string;
}

const GRACE_MS = 10_000;

export function start(argv: readonly string[], options: StartOptions): Started {
  const [file = "", ...args] = argv;
  const output = openSync(options.outputFile, "a");
  const env = { ...cleanEnvironment(), ...options.env };
  const child = spawn(file, args, {
    stdio: ["ignore", output, output],
    detached: true,
    env,
    cwd: options.cwd ?? "/",
  });
  closeSync(output);
  const ended = once(child, "exit").then(
    ([code]) => code as number | null,
    () => null,
  );
  const started = {
    pid: child.pid ?? -1,
    ended,
    get isRunning() {
      return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
    },
    kill: (signal: NodeJS.Signals) => void child.kill(signal),
    output: () => readFileSync(options.outputFile, "utf8"),
    async [Symbol.asyncDispose]() {
      if (!started.isRunning) return;
      child.kill("SIGTERM");
      const insist = setTimeout(() => child.kill("SIGKILL"), GRACE_MS);
      await ended;
      clearTimeout(insist);
    },
  };
  return started;
}
