import type { Command } from "@commander-js/extra-typings";
import type { CheckResult } from "../../domain/check.ts";
import type { Plan } from "../../domain/plan.ts";
import { read, type Session } from "../command.ts";
import { type ExitCode, exitCodeOfChecks } from "../exit-code.ts";
import { countChecks, renderChecks } from "../render/checks.ts";
import { renderPlan } from "../render/plan.ts";
import { run, type Shell } from "../run.ts";
import { collect } from "../words.ts";
import { begin } from "./apply.ts";
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
        "check orders --to 18 --into orders-new",
        "check billing --fix --store-dead 45m",
      ],
    },
  )
    .argument("<cluster>")
    .option(
      "--fix",
      "mend left-overs of an online upgrade done by hand: shown first, under claim and lock",
      false,
    )
    .option("--store-dead <duration>", "with --fix: what server.time_until_store_dead is to be")
    .option("-y, --yes", "with --fix: do not ask", false)
    .option("--ack <check>", "with --fix: your word for what cannot be measured; repeatable", collect, [])
    .option("--reason <text>", "why; one for all words, or one for each", collect, [])
    .action((cluster, options) =>
      run(shell, options, async (session) => {
        if (options.fix) return fix(session, cluster, options);
        const target = await toTarget(session, cluster, options);
        const { checks } = await session.call((client) => client.check({ target }));
        const results = read<readonly CheckResult[]>(checks, "check");
        session.show(results, (list) => `${renderChecks(list, session.paint)}\n${countChecks(list)}`);
        return exitCodeOfChecks(results);
      }),
    );
  return check as unknown as Command;
}

interface FixOptions {
  readonly storeDead?: string | undefined;
  readonly yes: boolean;
  readonly ack: readonly string[];
  readonly reason: readonly string[];
}

/** A plan like every other that changes a host, with an answer to it at once. */
async function fix(session: Session, cluster: string, options: FixOptions): Promise<ExitCode> {
  const values: Record<string, string> =
    options.storeDead === undefined ? {} : { "store-dead": options.storeDead };
  const purpose = { $case: "mend" as const, value: { cluster, values } };
  const made = await session.call((client) =>
    client.makePlan({
      caller: session.terminal.caller,
      purpose,
      backStrategy: "",
      backDigest: "",
      backWithout: "",
    }),
  );
  const plan = read<Plan>(made.plan, "plan");
  session.terminal.note(renderPlan(plan, session.paint));
  return begin(session, plan, { ...options, override: [] });
}
