/** The command line in this process: words in, what it says and its exit code out. */
import { Command } from "@commander-js/extra-typings";
import { buildProgram, runProgram } from "#coordinator/cli/program.ts";
import { plain } from "#coordinator/cli/render/style.ts";
import type { Terminal } from "#coordinator/cli/terminal.ts";
import { systemClock } from "#proto/common/clock.ts";

export interface Said {
  readonly code: number | undefined;
  readonly out: string;
  readonly err: string;
  /** What was asked at the terminal. */
  readonly asked: readonly string[];
  /** Files that were written, by name. */
  readonly files: ReadonlyMap<string, string>;
}

export interface Person {
  /** In the order of the questions; without any there is no terminal to ask at. */
  readonly answers?: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
}

export async function typed(
  words: readonly string[],
  { answers, files: given = {}, env = {} }: Person = {},
): Promise<Said> {
  const [out, err, asked]: string[][] = [[], [], []];
  const files = new Map(Object.entries(given));
  const rest = [...(answers ?? [])];
  let code: number | undefined;
  const ask = async (question: string) => {
    asked?.push(question);
    return answers === undefined ? undefined : (rest.shift() ?? "");
  };
  const terminal: Terminal = {
    clock: systemClock,
    caller: { user: "ann", host: "h" },
    version: "0",
    env,
    data: (text) => void out?.push(text),
    note: (text) => void err?.push(text),
    draw: () => undefined,
    redraws: false,
    progress: () => undefined,
    paint: () => plain,
    readFile: async (path) => files.get(path) ?? "",
    writeFile: async (path, text) => void files.set(path, text),
    ask,
    askSecret: ask,
    interrupted: new AbortController().signal,
  };
  const own = { serve: new Command("serve") as never, demo: new Command("demo") as never };
  const program = buildProgram({ terminal, exit: (ended) => (code = ended) }, own);
  await runProgram(program, words);
  return { code, out: out?.join("\n") ?? "", err: err?.join("\n") ?? "", asked: asked ?? [], files };
}
