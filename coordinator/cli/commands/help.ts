import { Command } from "@commander-js/extra-typings";
import { type Failure, failure } from "#proto/common/failure.ts";
import { nearest } from "#proto/common/nearest.ts";
import { explainFailure } from "../command.ts";
import { exitCodes } from "../exit-code.ts";
import { renderCounterparts } from "../render/pgrepup.ts";
import type { Shell } from "../run.ts";

export const topics: Readonly<Record<string, () => string>> = { pgrepup: renderCounterparts };

/** In place of commander's own, which knows commands and no topics. */
export function helpCommand(shell: Shell, root: Command): Command {
  const help = new Command("help")
    .description("Help for a command; `help pgrepup`: for those who come from pgrepup")
    .argument("[command...]", "a command, or pgrepup")
    .action((words) => {
      const topic = words.length === 1 ? topics[words[0] ?? ""] : undefined;
      if (topic !== undefined) {
        shell.terminal.data(topic());
        return shell.exit(exitCodes.done);
      }
      let command = root;
      for (const word of words) {
        const next = command.commands.find((each) => each.name() === word || each.aliases().includes(word));
        if (next === undefined) {
          const why = unknown(words, word, command === root ? undefined : command, root);
          return shell.exit(explainFailure(shell.terminal, "table", why));
        }
        command = next as unknown as Command;
      }
      shell.terminal.data(command.helpInformation().trimEnd());
      shell.exit(exitCodes.done);
    });
  return help as unknown as Command;
}

/** Words that are no command, and what those who type them look for. */
const elsewhere: Readonly<Record<string, string>> = {
  pgrepup: "lockkeeper help pgrepup",
  postgresql: "lockkeeper init postgresql, lockkeeper help pgrepup, docs/postgresql.md",
};

/** Undefined where nothing is known of the word. */
export function pointerFrom(word: string): Failure | undefined {
  const place = elsewhere[word];
  return place === undefined ? undefined : failure("cli.no-command-but", { word, place });
}

function unknown(
  words: readonly string[],
  word: string,
  within: Command | undefined,
  root: Command,
): Failure {
  const known = ({ commands }: Command) => commands.map((each) => each.name());
  const [topic = ""] = words;
  if (topics[topic] !== undefined) return failure("cli.topic-alone", { topic, word: words[1] ?? "" });
  const pointed = within === undefined ? pointerFrom(word) : undefined;
  if (pointed !== undefined) return pointed;
  if (within !== undefined && known(root).includes(word))
    return failure("cli.no-command-within", { word, within: within.name() });
  const near = nearest(word, [...known(within ?? root), ...Object.keys(topics)]);
  return failure("cli.no-command", { word, ...(near === undefined ? {} : { near }) });
}
