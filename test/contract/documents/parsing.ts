/** Command lines read by the product's own parsers, without doing what they say. */
import type { Command } from "@commander-js/extra-typings";
import { agentProgram } from "#agent/command.ts";
import { demoCommand } from "#coordinator/cli/commands/demo.ts";
import { serveCommand } from "#coordinator/cli/commands/serve.ts";
import { buildProgram } from "#coordinator/cli/program.ts";
import type { Shell } from "#coordinator/cli/run.ts";
import type { Terminal } from "#coordinator/cli/terminal.ts";
import { wordsOf } from "./page.ts";

/** Complaints that a fragment in running text may cause: it names a command, not all that it needs. */
const fragmentCodes: ReadonlySet<string> = new Set([
  "commander.missingArgument",
  "commander.missingMandatoryOptionValue",
  "commander.optionMissingArgument",
  "commander.help",
]);

/** Why the product would not take this line; undefined when it would. */
export function complaint(line: string, { fragment = false } = {}): string | undefined {
  const [name, ...words] = wordsOf(line);
  const program = name === "lockkeeper-agent" ? agentTree() : coordinatorTree();
  try {
    program.parse(words, { from: "user" });
    return undefined;
  } catch (error) {
    const code = String((error as { readonly code?: unknown }).code);
    return fragment && fragmentCodes.has(code) ? undefined : `${code}: ${(error as Error).message}`;
  }
}

function coordinatorTree(): Command {
  const terminal = { version: "0", data: () => undefined, note: () => undefined } as unknown as Terminal;
  const shell: Shell = { terminal, exit: () => undefined };
  const own = undefined as never;
  return harmless(
    buildProgram(shell, {
      serve: serveCommand(shell, own),
      demo: demoCommand(shell, { env: {}, execPath: "" }),
    }),
  );
}

function agentTree(): Command {
  return harmless(agentProgram({ process } as unknown as Parameters<typeof agentProgram>[0]));
}

/** The same tree, in which every command does nothing, and a refusal is thrown. */
function harmless(command: Command): Command {
  command.exitOverride((error) => {
    throw error;
  });
  command.configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
  const children = command.commands as unknown as readonly Command[];
  if (children.length === 0) command.action(() => undefined);
  for (const child of children) harmless(child);
  return command;
}
