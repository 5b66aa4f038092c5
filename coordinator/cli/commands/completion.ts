/** Shell completion, made from the program's own tree of commands and options: it cannot fall behind. */
import { Argument, Command } from "@commander-js/extra-typings";
import { exitCodes } from "../exit-code.ts";
import type { Shell } from "../run.ts";

const bash = `# lockkeeper completion for bash:  source <(lockkeeper completion bash)
_lockkeeper() {
  local IFS=$'\\n'
  COMPREPLY=($(lockkeeper completion words -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _lockkeeper lockkeeper`;

const zsh = `#compdef lockkeeper
# lockkeeper completion for zsh:  source <(lockkeeper completion zsh)
_lockkeeper() {
  local -a found
  found=("\${(@f)$(lockkeeper completion words -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -- $found
}
compdef _lockkeeper lockkeeper`;

const fish = `# lockkeeper completion for fish:  lockkeeper completion fish | source
complete -c lockkeeper -f -a '(lockkeeper completion words -- (commandline -opc)[2..-1] (commandline -ct))'`;

const scripts: Readonly<Record<string, string>> = { bash, zsh, fish };

export function completionCommand(shell: Shell, root: Command): Command {
  const completion = new Command("completion")
    .description("Completion for bash, zsh or fish")
    .addArgument(new Argument("<shell>").choices(["bash", "zsh", "fish", "words"]))
    .argument("[words...]")
    .action((wanted, words) => {
      const script = scripts[wanted];
      shell.terminal.data(script ?? suggestions(root, words).join("\n"));
      shell.exit(exitCodes.done);
    });
  return completion as unknown as Command;
}

/** What may stand where the last word is being typed. */
export function suggestions(root: Command, words: readonly string[]): readonly string[] {
  const typed = words.at(-1) ?? "";
  let command = root;
  for (const word of words.slice(0, -1)) {
    const next = command.commands.find((each) => each.name() === word);
    if (next !== undefined) command = next as unknown as Command;
  }
  const options = command.options.flatMap(({ long }) => (long === undefined || long === null ? [] : [long]));
  const names = command.commands.map((each) => each.name());
  return (typed.startsWith("-") ? options : names).filter((name) => name.startsWith(typed)).sort();
}
