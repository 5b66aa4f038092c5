/** The tree of commands. Each command has a file of its own; this one only gathers them. */
import { Command } from "@commander-js/extra-typings";
import { explainFailure } from "./command.ts";
import { applyCommand } from "./commands/apply.ts";
import { checkCommand } from "./commands/check.ts";
import { clusterCommand, nodeCommand } from "./commands/cluster.ts";
import { completionCommand } from "./commands/completion.ts";
import { helpCommand, pointerFrom } from "./commands/help.ts";
import { initCommand } from "./commands/init.ts";
import { leaksCommand } from "./commands/leaks.ts";
import { lockCommand } from "./commands/lock.ts";
import { planCommand } from "./commands/plan.ts";
import { rolloutCommands } from "./commands/rollout.ts";
import { snapshotCommand } from "./commands/snapshot.ts";
import { steerCommands } from "./commands/steer.ts";
import { artefactCommand, auditCommand, doctorCommand } from "./commands/upkeep.ts";
import { exitCodes } from "./exit-code.ts";
import type { Shell } from "./run.ts";

/** Commands that run the product itself and therefore belong to the composition root. */
export interface OwnCommands {
  readonly serve: Command;
  readonly demo: Command;
}

export function buildProgram(shell: Shell, own: OwnCommands): Command {
  const root = new Command("lockkeeper")
    .description("Upgrades database fleets one node at a time, under a lock held in NATS.")
    .version(shell.terminal.version, "-V, --version", "print the version")
    .showHelpAfterError("(lockkeeper help, or add --help to a command)")
    .exitOverride();
  root.commandsGroup("Upgrade:");
  for (const each of [checkCommand(shell), planCommand(shell), applyCommand(shell)]) root.addCommand(each);
  root.commandsGroup("Follow and steer:");
  for (const each of [...rolloutCommands(shell), ...steerCommands(shell)]) root.addCommand(each);
  root.commandsGroup("Fleet:");
  for (const each of [
    clusterCommand(shell),
    nodeCommand(shell),
    snapshotCommand(shell),
    lockCommand(shell),
    leaksCommand(shell),
  ])
    root.addCommand(each);
  root.commandsGroup("Coordinator:");
  for (const each of [
    own.serve,
    initCommand(shell),
    own.demo,
    artefactCommand(shell),
    auditCommand(shell),
    doctorCommand(shell),
  ])
    root.addCommand(each);
  const plainRoot = root as unknown as Command;
  root.addCommand(completionCommand(shell, plainRoot));
  root.addCommand(
    new Command("version").description("Print the version").action(() => {
      shell.terminal.data(shell.terminal.version);
      shell.exit(exitCodes.done);
    }),
  );
  root.helpCommand(false);
  root.addCommand(helpCommand(shell, plainRoot));
  passOn(plainRoot, shell);
  return plainRoot;
}

/** Help and usage errors end the process through the shell, with exit code 0 or 2, in every subcommand. */
function passOn(command: Command, shell: Shell): void {
  command.exitOverride((error) => {
    const [, word = ""] =
      error.code === "commander.unknownCommand" ? (/'(.*)'/.exec(error.message) ?? []) : [];
    const pointed = pointerFrom(word);
    if (pointed !== undefined) explainFailure(shell.terminal, "table", pointed);
    shell.exit(error.exitCode === 0 ? exitCodes.done : exitCodes.usage);
    throw error;
  });
  command.configureOutput({
    writeOut: (text) => shell.terminal.data(text.trimEnd()),
    writeErr: (text) => shell.terminal.note(text.trimEnd()),
  });
  for (const each of command.commands) passOn(each as unknown as Command, shell);
}

/** Parses and runs; the exit code is set through the shell. */
export async function runProgram(program: Command, argv: readonly string[]): Promise<void> {
  try {
    await program.parseAsync([...argv], { from: "user" });
  } catch (error) {
    // commander's own ending: help, version or a usage error, already told and coded by passOn
    if (!(error instanceof Error) || !("code" in error) || !String(error.code).startsWith("commander."))
      throw error;
  }
}
