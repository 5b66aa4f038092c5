/** Shell completion, made from the program's own tree of commands and options: it cannot fall behind. */
import { Argument, Command } from "@commander-js/extra-typings";
import type { FleetView } from "../../domain/views.ts";
import { withLeader } from "../client.ts";
import { coordinatorVariable, defaultCoordinator, examplesText, read } from "../command.ts";
import { exitCodes } from "../exit-code.ts";
import type { Shell } from "../run.ts";
import type { Terminal } from "../terminal.ts";
import { topics } from "./help.ts";

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
    .addHelpText(
      "after",
      examplesText([
        "completion bash > /etc/bash_completion.d/lockkeeper",
        "completion zsh > ~/.zfunc/_lockkeeper",
        "completion fish > ~/.config/fish/completions/lockkeeper.fish",
      ]),
    )
    .addArgument(new Argument("<shell>", "bash, zsh or fish").choices(["bash", "zsh", "fish", "words"]))
    .addArgument(new Argument("[words...]", "what has been typed so far; used by the scripts"))
    .action(async (wanted, words) => {
      const script = scripts[wanted];
      const clusters =
        script === undefined && wantsCluster(root, words) ? await clustersOf(shell.terminal) : [];
      shell.terminal.data(script ?? suggestions(root, words, clusters).join("\n"));
      shell.exit(exitCodes.done);
    });
  return completion as unknown as Command;
}

/** What may stand where the last word is being typed: commands, options, or the values of the option before. */
export function suggestions(
  root: Command,
  words: readonly string[],
  clusters: readonly string[] = [],
): readonly string[] {
  const typed = words.at(-1) ?? "";
  if (words[0] === "help" && words.length > 1) {
    const { command } = at(root, words.slice(1));
    const names = command.commands.map((each) => each.name());
    return startingWith(typed, command === root ? [...names, ...Object.keys(topics)] : names);
  }
  const { command, before } = at(root, words);
  if (before?.argChoices !== undefined) return startingWith(typed, before.argChoices);
  const options = command.options.flatMap(({ long, hidden }) => (long == null || hidden ? [] : [long]));
  const choices = command.registeredArguments[0]?.argChoices ?? [];
  const names = [...command.commands.map((each) => each.name()), ...choices, ...clusters];
  return startingWith(typed, typed.startsWith("-") ? options : names);
}

/** The command that has been typed, and the option whose value is being typed. */
function at(root: Command, words: readonly string[]) {
  let command = root;
  for (const word of words.slice(0, -1)) {
    const next = command.commands.find((each) => each.name() === word || each.aliases().includes(word));
    if (next !== undefined) command = next as unknown as Command;
  }
  const before = command.options.find(({ long, short }) => [long, short].includes(words.at(-2) ?? ""));
  return { command, before };
}

/** The name of a cluster may stand where the last word is being typed. */
function wantsCluster(root: Command, words: readonly string[]): boolean {
  const { command, before } = at(root, words);
  if (before !== undefined && !before.isBoolean() && before.required) return /<cluster>/.test(before.flags);
  const named = command.registeredArguments[0]?.name() ?? "";
  return /\bcluster\b/.test(named) && words.at(-1)?.startsWith("-") !== true;
}

/** Whoever presses TAB waits no longer than this. */
const answerLimitMs = 700;

/** None where no coordinator answers in time: the shell is to go on. */
async function clustersOf({ env, clock }: Terminal): Promise<readonly string[]> {
  const limit = new AbortController();
  const cancel = clock.after(answerLimitMs, () => limit.abort());
  const addresses = (env[coordinatorVariable] ?? defaultCoordinator).split(",");
  const { signal } = limit;
  try {
    const { fleet } = await withLeader(addresses, clock, (client) =>
      client.getFleet({ cluster: "" }, { signal }),
    );
    return read<FleetView>(fleet, "fleet").clusters.map(({ name }) => name);
  } catch {
    return [];
  } finally {
    cancel();
  }
}

function startingWith(typed: string, names: readonly string[]): readonly string[] {
  return names.filter((name) => name.startsWith(typed)).sort();
}
