import { Command } from "@commander-js/extra-typings";
import { nearest } from "#proto/common/nearest.ts";
import { exitCodes } from "../exit-code.ts";
import { renderCounterparts } from "../render/pgrepup.ts";
import type { Shell } from "../run.ts";

const topics: Readonly<Record<string, () => string>> = { pgrepup: renderCounterparts };

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
          shell.terminal.note(unknown(word, command));
          return shell.exit(exitCodes.usage);
        }
        command = next as unknown as Command;
      }
      shell.terminal.data(command.helpInformation().trimEnd());
      shell.exit(exitCodes.done);
    });
  return help as unknown as Command;
}

function unknown(word: string, command: Command): string {
  const near = nearest(word, [...command.commands.map((each) => each.name()), ...Object.keys(topics)]);
  return `lockkeeper: there is no command ${word}${near === undefined ? "" : `; did you mean ${near}?`}`;
}
