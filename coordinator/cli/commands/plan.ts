import type { Command } from "@commander-js/extra-typings";
import { type Failure, FailureError, failure } from "#proto/common/failure.ts";
import type { Plan } from "../../domain/plan.ts";
import { planText } from "../../domain/plan-file.ts";
import type { OpenWay } from "../../domain/way.ts";
import { read, type Session } from "../command.ts";
import { exitCodes } from "../exit-code.ts";
import { renderPlan } from "../render/plan.ts";
import { nextAfterPlan, refusedBy } from "../render/plan-next.ts";
import { renderWays } from "../render/ways.ts";
import { run, type Shell } from "../run.ts";
import type { OutputFormat } from "../terminal.ts";
import { packageOf, type TargetOptions, targetCommand, toTarget } from "./target.ts";

/**
 * `-o plan.json` saves the plan for apply and still prints it for reading; `-o json` prints it as JSON. Exit code 3
 * where apply would refuse it whatever words it asks for are given.
 */
export function planCommand(shell: Shell): Command {
  const plan = targetCommand("plan", "What would be done, step by step, with every command, gate and undo", {
    outputFile: true,
    examples: [
      "plan billing --to 3.1.0 --artefact KWDB-3.1.0.tar.gz -o plan.json",
      "plan billing --to 3.1.0 --sha256 ebfaf42e… -o json",
      "plan orders --to 18 --into orders-new -o plan.json",
      "plan --back 20260131-221500-abcd",
      "plan --back billing --artefact KWDB-3.0.0.tar.gz -o back.json",
      "plan --back orders --without orders-new -o back.json",
    ],
  })
    .argument("[cluster]")
    .option("--back <rollout>", "the way back from a rollout, as a plan")
    .option("--without <cluster>", "with --back: the servers of this cluster are gone for good")
    .action((cluster, { output, ...options }) =>
      run(shell, { ...options, output: formatOf(output) }, async (session) => {
        const purpose = await purposeOf(session, cluster, options);
        const isBack = options.back !== undefined;
        const backDigest = isBack ? await packageOf(session, options) : "";
        const made = await session.call((client) =>
          client.makePlan({
            caller: session.terminal.caller,
            purpose,
            backStrategy: isBack ? (options.strategy ?? "") : "",
            backDigest,
            backWithout: options.without ?? "",
          }),
        );
        const ways = made.ways === undefined ? [] : read<readonly OpenWay[]>(made.ways, "ways");
        const isOpenChoice = options.strategy === undefined && options.method === undefined;
        if (made.refused !== undefined) {
          if (isOpenChoice && ways.length > 0) session.show(ways, (all) => renderWays(all, session.paint));
          throw new FailureError(read<Failure>(made.refused, "failure"));
        }
        const document = read<Plan>(made.plan, "plan");
        if (isOpenChoice && session.output === "table" && ways.length > 0)
          session.terminal.data(`${renderWays(ways, session.paint)}\n`);
        session.show(document, (it) => renderPlan(it, session.paint));
        if (isFile(output)) {
          await session.terminal.writeFile(output, planText(document));
          session.terminal.note(
            `plan ${document.digest.slice(0, 12)} written to ${output}; ${nextAfterPlan(document, output)}`,
          );
        }
        return refusedBy(document).length > 0 ? exitCodes.refused : exitCodes.done;
      }),
    );
  return plan as unknown as Command;
}

function isFile(output: string): boolean {
  return output.endsWith(".json");
}

function formatOf(output: string): OutputFormat {
  return isFile(output) ? "table" : (output as OutputFormat);
}

async function purposeOf(
  session: Session,
  cluster: string | undefined,
  options: TargetOptions & { readonly back?: string | undefined; readonly without?: string | undefined },
) {
  if (options.without !== undefined && options.back === undefined)
    throw new FailureError(failure("cli.without-alone", {}));
  if (options.back !== undefined) return { $case: "backFromRollout" as const, value: options.back };
  if (cluster === undefined) throw new FailureError(failure("cli.cluster-missing", {}));
  return { $case: "target" as const, value: await toTarget(session, cluster, options) };
}
