import type { Command } from "@commander-js/extra-typings";
import type { CheckResult } from "../../domain/check.ts";
import { read } from "../command.ts";
import { exitCodeOfChecks } from "../exit-code.ts";
import { countChecks, renderChecks } from "../render/checks.ts";
import { run, type Shell } from "../run.ts";
import { targetCommand, toTarget } from "./target.ts";

/** Exit code 3 when anything is KO or UNKNOWN, 4 when a node does not answer: the same would refuse apply. */
export function checkCommand(shell: Shell): Command {
  const check = targetCommand(
    "check",
    "Everything that must be right before an upgrade; read-only on the hosts",
    {
      examples: [
        "check billing --to 3.1.0 --artefact KWDB-3.1.0.tar.gz",
        "check billing --to 3.1.0 --sha256 ebfaf42e… -o json",
      ],
    },
  )
    .argument("<cluster>")
    .action((cluster, options) =>
      run(shell, options, async (session) => {
        const target = await toTarget(session, cluster, options);
        const { checks } = await session.call((client) => client.check({ target }));
        const results = read<readonly CheckResult[]>(checks, "check");
        session.show(results, (list) => `${renderChecks(list, session.paint)}\n${countChecks(list)}`);
        return exitCodeOfChecks(results);
      }),
    );
  return check as unknown as Command;
}
