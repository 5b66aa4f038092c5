/**
 * Short, read-only looks at the host. Each runs in a process group of its own, which is ended as a whole when the
 * program has exited or its deadline has passed: children left behind would keep the pipes, and us, waiting.
 */
import { execa } from "execa";
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

/** A group of its own, ended by us: execa's own limit and cleanup reach the first process only. */
function begin([file, ...args]: readonly [string, ...string[]], { env, cwd = process.cwd() }: LookOptions) {
  return execa(file, args, {
    detached: true,
    cleanup: false,
    reject: false,
    buffer: false,
    stdin: "ignore",
    extendEnv: false,
    env,
    cwd,
  });
}

export function lookWith(argv: readonly [string, ...string[]], options: LookOptions): Promise<Look> {
  const child = begin(argv, options);
  return new Promise((resolve) => watch(child, options, resolve));
}

function watch(
  child: ReturnType<typeof begin>,
  { clock, deadlineMs, graceMs = 2_000 }: LookOptions,
  resolve: (look: Look) => void,
): void {
  const stdout = new Tail();
  const stderr = new Tail();
  child.stdout.on("data", (chunk: Buffer) => stdout.add(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.add(chunk));
  const pid = child.pid;
  const timers: (() => void)[] = [];
  let timedOut = false;
  let exit: { code: number | undefined; signal: string | undefined } = { code: undefined, signal: undefined };
  const settle = (spawnError?: string) => {
    for (const cancel of timers) cancel();
    child.stdout.destroy();
    child.stderr.destroy();
    const text = { stdout: stdout.text(), stderr: stderr.text() };
    resolve({
      exitCode: exit.code,
      signal: exit.signal,
      timedOut,
      ...text,
      ...(spawnError === undefined ? {} : { spawnError }),
    });
  };
  if (pid === undefined) {
    void child.then((result) => settle(result.originalMessage ?? "it could not be started"));
    return;
  }
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
