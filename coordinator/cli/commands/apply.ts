import type { Command } from "@commander-js/extra-typings";
import { render } from "#proto/catalogue/render.ts";
import { type Failure, FailureError, failure } from "#proto/common/failure.ts";
import type { Plan } from "../../domain/plan.ts";
import { readPlan } from "../../domain/plan-file.ts";
import { command, count, read, type Session } from "../command.ts";
import { type ExitCode, exitCodes } from "../exit-code.ts";
import { follow } from "../follow.ts";
import { renderPlan } from "../render/plan.ts";
import { run, type Shell } from "../run.ts";
import { collect, toWords, type WordOptions } from "../words.ts";

/** Follows until the end or the first wait, then detaches. What is executed is the coordinator's own plan. */
export function applyCommand(shell: Shell): Command {
  const apply = command("apply", "Carry out a plan, one node at a time", {
    examples: [
      "apply plan.json",
      'apply plan.json -y --ack kwdb.backup --reason "copied to /backup/2026-01-31"',
      'apply plan.json -y --ack postgresql.unlogged --reason "the caches fill themselves"',
      "apply plan.json --stop-after 1",
      'apply plan.json --override kwdb.space --reason "measured by hand" --until 2h',
    ],
  })
    .argument("<plan.json>")
    .option("-y, --yes", "do not ask", false)
    .option("--stop-after <nodes>", "pause after so many nodes", count)
    .option("--approve-each", "wait for `lockkeeper approve` before each node", false)
    .option("--detach", "return as soon as the rollout has begun", false)
    .option("--ack <check>", "your word for what cannot be measured; repeatable", collect, [])
    .option("--override <check>", "your word against what was measured; repeatable", collect, [])
    .option("--reason <text>", "why; one for all words, or one for each", collect, [])
    .option("--until <time>", "when the words end: 2h, or an RFC 3339 instant")
    .action((file, options) =>
      run(shell, options, async (session) => {
        const given = readPlan(await session.terminal.readFile(file), file);
        if (!given.ok) throw new FailureError(given.failure);
        if (!options.yes) session.terminal.note(renderPlan(given.value, session.paint));
        return begin(session, given.value, options);
      }),
    );
  return apply as unknown as Command;
}

export interface BeginOptions extends WordOptions {
  readonly yes: boolean;
  readonly stopAfter?: number | undefined;
  readonly approveEach?: boolean;
  readonly detach?: boolean;
}

/** A plan that has been shown: asked for, unless the answer was given beforehand, begun and followed. */
export async function begin(session: Session, plan: Plan, options: BeginOptions): Promise<ExitCode> {
  if (!options.yes) await askForYes(session, plan);
  const { rollout, notes } = await session.call((client) =>
    client.apply({
      caller: session.terminal.caller,
      plan: { kind: "plan", format: plan.format, json: Buffer.from(JSON.stringify(plan)) },
      stopAfterNodes: options.stopAfter ?? 0,
      approveEach: options.approveEach ?? false,
      ...toWords(options, session.terminal.clock.now()),
    }),
  );
  for (const note of notes) session.terminal.note(render(read<Failure>(note, "failure")).says);
  session.terminal.note(`rollout ${rollout} begins; Ctrl-C detaches, the rollout goes on`);
  if (options.detach !== true) return follow(session, rollout);
  if (session.output !== "table") session.terminal.data(JSON.stringify({ rollout }));
  return exitCodes.done;
}

/**
 * The cluster's name is typed, not "y": the hand that is in the wrong window stops here. Of several the first is the
 * plan's own; all of them, as the plan's head lists them, are as good.
 */
async function askForYes(session: Session, { clusters }: Plan): Promise<void> {
  const [own = "", ...others] = clusters;
  const all = others.length === 0 ? {} : { all: clusters.join(", ") };
  const question = render(failure("cli.type-cluster", { cluster: own, ...all })).says;
  const typed = await session.terminal.ask(`\n${question}: `);
  if (typed === undefined) throw new FailureError(failure("cli.nobody-to-ask", {}));
  const names = typed.split(",").map((name) => name.trim());
  if (names.join(",") !== own && names.join(",") !== clusters.join(","))
    throw new FailureError(failure("cli.not-confirmed", { typed: typed.trim(), wanted: own }));
}
