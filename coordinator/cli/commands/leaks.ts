import type { Command } from "@commander-js/extra-typings";
import type { LeftOversView } from "../../domain/left-overs.ts";
import { command, read } from "../command.ts";
import { type ExitCode, exitCodeOf, exitCodes } from "../exit-code.ts";
import { renderLeftOvers } from "../render/left-overs.ts";
import { run, type Shell } from "../run.ts";

export function leaksCommand(shell: Shell): Command {
  return command("leaks", "What moves have left on the servers; exit code 10 when anything is there", {
    examples: ["leaks", "leaks orders -o json"],
  })
    .argument("[cluster]", "default: the whole fleet")
    .action((cluster, options) =>
      run(shell, options, async (session) => {
        const { leftOvers } = await session.call((client) =>
          client.listLeftOvers({ cluster: cluster ?? "" }),
        );
        const views = read<readonly LeftOversView[]>(leftOvers, "left-overs");
        session.show(views, (all) => renderLeftOvers(all, session.paint));
        return exitCodeOfLeftOvers(views);
      }),
    ) as unknown as Command;
}

/** A server that could not be looked at is not one on which nothing is. */
export function exitCodeOfLeftOvers(views: readonly LeftOversView[]): ExitCode {
  if (views.some(({ found }) => found.length > 0)) return exitCodes.differences;
  const [first] = views.flatMap(({ unknown }) => unknown);
  return first === undefined ? exitCodes.done : exitCodeOf(first.why.code);
}
