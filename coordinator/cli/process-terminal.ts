/** The terminal of a real process. The composition root hands in everything that is not a stream. */
import { readFile, rename, writeFile } from "node:fs/promises";
import { createInterface } from "node:readline/promises";
import type { Clock } from "#proto/common/clock.ts";
import { FailureError, failure } from "#proto/common/failure.ts";
import type { Caller } from "#proto/gen/lockkeeper/v1/control_pb.ts";
import { coloured, plain } from "./render/style.ts";
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
  const mayColour = stdout.isTTY === true && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb";
  return {
    clock: parts.clock,
    caller: parts.caller,
    version: parts.version,
    env,
    interrupted: parts.interrupted,
    data: (text) => void stdout.write(`${text}\n`),
    note: (text) => void stderr.write(`${text}\n`),
    redraws: stdout.isTTY === true && env["TERM"] !== "dumb",
    columns: stdout.columns ?? 100,
    paint: (wanted) => (wanted && mayColour ? coloured : plain),
    readFile: (path) => readFile(path, "utf8").catch(asFailure("cli.file-unreadable", path)),
    writeFile: (path, text) => replaceFile(path, text).catch(asFailure("cli.file-unwritable", path)),
    ask: (question) => (stdin.isTTY ? askAt(parts, question) : Promise.resolve(undefined)),
  };
}

function asFailure(code: `cli.${string}`, path: string): (error: unknown) => never {
  return (error) => {
    throw new FailureError(
      failure(code, { path, cause: error instanceof Error ? error.message : String(error) }),
    );
  };
}

/** Never half a plan file: written beside, then renamed. */
async function replaceFile(path: string, text: string): Promise<void> {
  const beside = `${path}.new`;
  await writeFile(beside, text, { mode: 0o600 });
  await rename(beside, path);
}

async function askAt(
  { stdin, stderr, interrupted }: ProcessParts,
  question: string,
): Promise<string | undefined> {
  const lines = createInterface({ input: stdin, output: stderr });
  try {
    return await lines.question(question, { signal: interrupted });
  } catch {
    return undefined;
  } finally {
    lines.close();
  }
}
