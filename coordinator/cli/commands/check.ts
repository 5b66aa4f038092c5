import type { Command } from "@commander-js/extra-typings";
import type { CheckResult } from "../../domain/check.ts";
import { read } from "../command.ts";
import { exitCodes } from "../exit-code.ts";
import { countChecks, renderChecks } from "../render/checks.ts";
import { run, type Shell } from "../run.ts";
import { targetCommand, toTarget } from "./target.ts";

/** Exit code 3 when anything is KO or UNKNOWN: the same results would refuse apply. */
export function checkCommand(shell: Shell): Command {
  const check = targetCommand("check", "Everything that must be right before an upgrade; read-only")
    .argument("<cluster>")
    .action((cluster, options) =>
      run(shell, options, async (session) => {
        const { checks } = await session.call((client) =>
          client.check({ target: toTarget(cluster, options) }),
        );
        const results = read<readonly CheckResult[]>(checks, "check");
        session.show(results, (list) => `${renderChecks(list, session.paint)}\n${countChecks(list)}`);
        return results.some(({ status }) => status === "ko" || status === "unknown")
          ? exitCodes.refused
          : exitCodes.done;
      }),
    );
  return check as unknown as Command;
}
