/**
 * Short, read-only looks at the host. Each runs in a process group of its own, which is ended as a whole when the
 * program has exited or its deadline has passed: children left behind would keep the pipes, and us, waiting.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Clock } from "#proto/common/clock.ts";
import type { Look } from "../verb.ts";
import { signalGroup } from "./process.ts";
import { Tail } from "./tail.ts";

export interface LookOptions {
  readonly deadlineMs: number;
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly clock: Clock;
  /** Between asking a group to end and ending it. */
  readonly graceMs?: number;
}

/** How long output may still trickle in after the program's own end and its group's. */
const drainMs = 500;

export function lookWith(argv: readonly [string, ...string[]], options: LookOptions): Promise<Look> {
  const [file, ...args] = argv;
  const child = spawn(file, args, {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: options.env,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  return new Promise((resolve) => watch(child, options, resolve));
}

function watch(
  child: ChildProcess,
  { clock, deadlineMs, graceMs = 2_000 }: LookOptions,
  resolve: (look: Look) => void,
): void {
  const stdout = new Tail();
  const stderr = new Tail();
  child.stdout?.on("data", (chunk: Buffer) => stdout.add(chunk));
  child.stderr?.on("data", (chunk: Buffer) => stderr.add(chunk));
  const pid = child.pid;
  const timers: (() => void)[] = [];
  let timedOut = false;
  let exit: { code: number | undefined; signal: string | undefined } = { code: undefined, signal: undefined };
  const settle = (spawnError?: string) => {
    for (const cancel of timers) cancel();
    child.stdout?.destroy();
    child.stderr?.destroy();
    const text = { stdout: stdout.text(), stderr: stderr.text() };
    resolve({
      exitCode: exit.code,
      signal: exit.signal,
      timedOut,
      ...text,
      ...(spawnError === undefined ? {} : { spawnError }),
    });
  };
  child.once("error", (error) => settle(error.message));
  if (pid === undefined) return;
  timers.push(
    clock.after(deadlineMs, () => {
      timedOut = true;
      signalGroup(pid, "SIGTERM");
      timers.push(clock.after(graceMs, () => signalGroup(pid, "SIGKILL")));
    }),
  );
  child.once("exit", (code, signal) => {
    exit = { code: code ?? undefined, signal: signal ?? undefined };
    signalGroup(pid, "SIGKILL");
    timers.push(clock.after(drainMs, () => settle()));
  });
  child.once("close", () => settle());
}
