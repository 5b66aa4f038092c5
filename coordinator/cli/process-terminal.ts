/** The terminal of a real process. The composition root hands in everything that is not a stream. */
import { readFile, rename, writeFile } from "node:fs/promises";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { troubleOf } from "#proto/catalogue/trouble.ts";
import type { Clock } from "#proto/common/clock.ts";
import { FailureError, failure } from "#proto/common/failure.ts";
import type { Caller } from "#proto/gen/lockkeeper/v1/control_pb.ts";
import { coloured, plain } from "./render/style.ts";
import { clip } from "./render/table.ts";
import { Screen } from "./screen.ts";
import type { Terminal } from "./terminal.ts";

export interface ProcessParts {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly caller: Caller;
  readonly version: string;
  readonly interrupted: AbortSignal;
}

export function processTerminal(parts: ProcessParts): Terminal {
  const { stdin, stdout, stderr, env } = parts;
  const capable = env["TERM"] !== "dumb";
  const redraws = stdout.isTTY === true && capable;
  const size = () => ({ columns: stdout.columns ?? 100, rows: stdout.rows ?? 24 });
  const screen = new Screen({ write: (text) => void stdout.write(text), redraws, size });
  const notes = notesOn(stderr, stderr.isTTY === true && capable);
  // both streams are one terminal: what is drawn below one must go before the other speaks
  const shared = redraws && stderr.isTTY === true;
  const mayColour = stdout.isTTY === true && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb";
  return {
    clock: parts.clock,
    caller: parts.caller,
    version: parts.version,
    env,
    interrupted: parts.interrupted,
    data: (text) => {
      notes.progress(undefined);
      screen.log(text);
    },
    note: (text) => {
      if (shared) screen.draw([]);
      notes.note(text);
    },
    draw: (lines) => screen.draw(lines),
    redraws,
    progress: (text) => notes.progress(text),
    paint: (wanted) => (wanted && mayColour ? coloured : plain),
    readFile: (path) => readFile(path, "utf8").catch(asFailure("cli.file-unreadable", path)),
    writeFile: (path, text) => replaceFile(path, text).catch(asFailure("cli.file-unwritable", path)),
    ask: (question) => (stdin.isTTY ? askAt(parts, question) : Promise.resolve(undefined)),
    askSecret: (question) => (stdin.isTTY ? askSecretAt(parts, question) : Promise.resolve(undefined)),
  };
}

interface Notes {
  note(text: string): void;
  progress(text: string | undefined): void;
}

function notesOn(stderr: NodeJS.WriteStream, redraws: boolean): Notes {
  const esc = String.fromCharCode(27);
  let shown = "";
  const clear = () => {
    if (redraws && shown !== "") stderr.write(`\r${esc}[K`);
    shown = "";
  };
  return {
    note: (text) => {
      clear();
      stderr.write(`${text}\n`);
    },
    progress: (text) => {
      if (text === undefined) return clear();
      if (redraws) stderr.write(`\r${clip(text, Math.max(10, (stderr.columns ?? 100) - 1))}${esc}[K`);
      else if (shown === "") stderr.write(`${text}\n`);
      shown = text;
    },
  };
}

function asFailure(code: `cli.${string}`, path: string): (error: unknown) => never {
  return (error) => {
    throw new FailureError(failure(code, { path, cause: troubleOf(error) }));
  };
}

/** Never half a plan file: written beside, then renamed. */
async function replaceFile(path: string, text: string): Promise<void> {
  const beside = `${path}.new`;
  await writeFile(beside, text, { mode: 0o600 });
  await rename(beside, path);
}

/** The line editor takes the terminal's echo upon itself, and shows it to nobody. */
async function askSecretAt(parts: ProcessParts, question: string): Promise<string> {
  parts.stderr.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  try {
    return await answerTo(parts, "", nowhere);
  } finally {
    parts.stderr.write("\n");
  }
}

function askAt(parts: ProcessParts, question: string): Promise<string> {
  return answerTo(parts, question, parts.stderr);
}

/** Ctrl-C is no answer: it ends the command. Throws FailureError: `cli.interrupted`. */
async function answerTo(
  parts: ProcessParts,
  question: string,
  output: NodeJS.WritableStream,
): Promise<string> {
  const lines = createInterface({ input: parts.stdin, output, terminal: true });
  const ended = new AbortController();
  // the line editor gets Ctrl-C as a key, and Ctrl-D as the end
  lines.once("SIGINT", () => ended.abort());
  lines.once("close", () => ended.abort());
  try {
    return await lines.question(question, { signal: AbortSignal.any([parts.interrupted, ended.signal]) });
  } catch {
    throw new FailureError(failure("cli.interrupted"));
  } finally {
    lines.close();
  }
}
