/** Turns a command's body into an action: opens the session, runs it, and ends with its exit code. */
import { type CommonOptions, explainFailure, failureOf, openSession, type Session } from "./command.ts";
import type { ExitCode } from "./exit-code.ts";
import type { Terminal } from "./terminal.ts";

/** What the composition root gives to the program. */
export interface Shell {
  readonly terminal: Terminal;
  /** Sets the code that the process ends with. */
  exit(code: ExitCode): void;
}

/** Arguments come before options in commander's action; here the session comes first. */
export async function run<Options extends CommonOptions>(
  shell: Shell,
  options: Options,
  body: (session: Session) => Promise<ExitCode>,
): Promise<void> {
  const session = openSession(shell.terminal, options);
  try {
    shell.exit(await body(session));
  } catch (error) {
    shell.exit(explainFailure(shell.terminal, options.output, failureOf(error)));
  }
}
