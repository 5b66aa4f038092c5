/** `lockkeeper init postgresql` in a folder of its own, with a person who types the given answers, or with nobody. */
import { readFile } from "node:fs/promises";
import { initCommand } from "#coordinator/cli/commands/init.ts";
import type { Shell } from "#coordinator/cli/run.ts";
import { FailureError, failure } from "#proto/common/failure.ts";

export interface Told {
  readonly code: number | undefined;
  /** Data and notes, in turn. */
  readonly said: string;
  /** The questions, as they stood at the terminal. */
  readonly asked: readonly string[];
}

/** `typed`: what is answered, in turn, then Enter alone; undefined: there is no terminal. */
export async function init(
  folder: string,
  words: readonly string[],
  typed?: readonly string[],
): Promise<Told> {
  const said: string[] = [];
  const asked: string[] = [];
  let code: number | undefined;
  const ask = async (question: string) => {
    asked.push(question);
    if (asked.length > 60) throw new Error("asked for ever");
    return typed === undefined ? undefined : (typed[asked.length - 1] ?? "");
  };
  const tell = (text: string) => void said.push(text);
  const terminal = {
    data: tell,
    note: tell,
    ask,
    askSecret: ask,
    readFile: (path: string) =>
      readFile(path, "utf8").catch((error: Error) => {
        throw new FailureError(failure("cli.file-unreadable", { path, cause: error.message }));
      }),
  };
  const shell = { terminal, exit: (ended: number) => (code = ended) } as unknown as Shell;
  await initCommand(shell).parseAsync(["postgresql", "-o", folder, ...words], { from: "user" });
  return { code, said: said.join("\n"), asked };
}
