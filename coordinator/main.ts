/** The program `lockkeeper`. The only place that touches the process, its clock, its randomness and its environment. */
import { randomBytes } from "node:crypto";
import { hostname, userInfo } from "node:os";
import { systemClock } from "#proto/common/clock.ts";
import { makeLog } from "#proto/common/log.ts";
import { version } from "#proto/common/version.ts";
import { demoCommand } from "./cli/commands/demo.ts";
import { serveCommand } from "./cli/commands/serve.ts";
import { exitCodes } from "./cli/exit-code.ts";
import { processTerminal } from "./cli/process-terminal.ts";
import { buildProgram, runProgram } from "./cli/program.ts";

const interrupted = new AbortController();
const terminated = new AbortController();
process.on("SIGINT", () => {
  // the second Ctrl-C is for a program that does not listen to the first; `timeout` sends SIGTERM twice by itself
  if (interrupted.signal.aborted) process.exit(130);
  interrupted.abort();
  terminated.abort();
});
process.on("SIGTERM", () => {
  interrupted.abort("SIGTERM");
  terminated.abort();
});
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
});

const alphabet = "abcdefghijkmnpqrstuvwxyz23456789";
const token = (characters: number) =>
  [...randomBytes(characters)].map((byte) => alphabet[byte % alphabet.length]).join("");

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return "somebody";
  }
}

const terminal = processTerminal({
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  clock: systemClock,
  caller: { user: process.env["SUDO_USER"] ?? userName(), host: hostname() },
  version,
  interrupted: interrupted.signal,
});
const shell = {
  terminal,
  exit: (code: number) => {
    const isTerm = interrupted.signal.reason === "SIGTERM";
    process.exitCode = code === exitCodes.detached && isTerm ? exitCodes.terminated : code;
  },
};
const own = {
  clock: systemClock,
  random: Math.random,
  token,
  hostName: hostname(),
  pid: process.pid,
  terminated: terminated.signal,
  makeLog: (level: string) =>
    makeLog("lockkeeper", {
      level,
      journald: process.env["JOURNAL_STREAM"] !== undefined,
      write: (line) => process.stderr.write(line),
    }),
};
const program = buildProgram(shell, {
  serve: serveCommand(shell, own),
  demo: demoCommand(shell, { ...own, env: process.env, execPath: process.execPath }),
});
await runProgram(program, process.argv.slice(2));
// what was detached from may never answer, and would keep the process here
if (process.exitCode === exitCodes.detached || process.exitCode === exitCodes.terminated) process.exit();
