/**
 * The fence of writes: the cluster setting that makes KWDB read-only, data, definitions, users and settings alike. What
 * it was before is written down first and put back by the undo.
 */
import { z } from "zod";
import { type Failure, failure, type Outcome, succeed } from "#proto/common/failure.ts";
import { markOf } from "../../../host/marks.ts";
import { done, failedBy } from "../../../outcome.ts";
import { type Probe, type StepContext, type StepResult, type Verb, verb } from "../../../verb.ts";
import { milliseconds, nothing, peers } from "../args.ts";
import type { Means } from "../installation.ts";
import { askTable, type Desk, probed, statement, withDesk } from "./desk.ts";

const setting = "default_transaction_read_only.enabled";
const pollMs = 500;
const settleMs = 15_000;
const raised = z.object({
  before: z.enum(["true", "false"]),
  /** Which try has raised it: what was exported or counted behind an earlier one may be stale. */
  raisedBy: z.number(),
});

/** Which fence stands now, by the try that has raised it; 0 where this rollout has none. */
export async function fenceOf(context: StepContext): Promise<number> {
  return (await markOf(context, "fence", raised).read())?.raisedBy ?? 0;
}

export function fenceVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "kwdb.fence-writes",
      class: "reversible",
      args: nothing,
      run: (context) => withDesk(context, means, fence),
      probe: (context) =>
        probedFence(context, means, async (_, value) => {
          const mark = await markOf(context, "fence", raised).read();
          return mark !== undefined && value === "true";
        }),
    }),
    verb({
      name: "kwdb.unfence-writes",
      class: "reversible",
      args: nothing,
      run: (context) => withDesk(context, means, unfence),
      probe: (context) =>
        probedFence(context, means, async (_, value) => {
          const mark = await markOf(context, "fence", raised).read();
          return mark === undefined || value === mark.before;
        }),
    }),
    proveFenced(means),
  ];
}

async function probedFence(
  context: StepContext,
  means: Means,
  isSo: (desk: Desk, value: string) => Promise<boolean>,
): Promise<Probe> {
  return probed(context, means, async (desk) => {
    const value = await readFence(desk);
    if (!value.ok) return { state: "unknown", failure: value.failure };
    return (await isSo(desk, value.value)) ? { state: "done", outputs: {} } : { state: "not-done" };
  });
}

async function readFence(desk: Desk, at?: string): Promise<Outcome<string>> {
  const rows = await askTable(desk, `SHOW CLUSTER SETTING ${setting}`, { columns: [setting], at });
  return rows.ok ? succeed(rows.value[0]?.[setting] ?? "") : rows;
}

async function fence(desk: Desk): Promise<StepResult> {
  const mark = markOf(desk.context, "fence", raised);
  const known = await mark.read();
  const now = await readFence(desk);
  if (!now.ok) return failedBy(now.failure);
  const was = known?.before ?? (now.value === "true" ? "true" : "false");
  // one that somebody has taken down, and that is raised again, is another fence
  const stands = known !== undefined && now.value === "true";
  if (!stands) await mark.write({ before: was, raisedBy: desk.context.attempt });
  if (was === "true") return done({ before: was, found: "it was read-only before" });
  return (await put(desk, "true")) ?? done({ before: was });
}

async function unfence(desk: Desk): Promise<StepResult> {
  const mark = markOf(desk.context, "fence", raised);
  const known = await mark.read();
  if (known === undefined) return done({ found: "never fenced by this rollout" });
  const why = known.before === "false" ? await put(desk, "false") : undefined;
  if (why !== undefined) return why;
  await mark.remove();
  return done({ value: known.before });
}

async function put(desk: Desk, value: "true" | "false"): Promise<StepResult | undefined> {
  const { context } = desk;
  const ran = await context.tool(statement(desk, `SET CLUSTER SETTING ${setting} = ${value}`));
  const why = await pollFence(context, settleMs, () => whyNotEverywhere(desk, [undefined], value));
  return why === undefined ? undefined : failedBy(why, ran.tail);
}

function proveFenced(means: Means): Verb {
  return verb({
    name: "kwdb.prove-fenced",
    class: "observe",
    args: z.strictObject({ peers, waitMs: milliseconds }),
    run: (context, args) =>
      withDesk(context, means, async (desk) => {
        const why = await pollFence(context, args.waitMs, () =>
          whyNotEverywhere(desk, [undefined, ...args.peers], "true"),
        );
        return why === undefined ? done({ nodes: String(args.peers.length + 1) }) : failedBy(why);
      }),
  });
}

/** Each node has the setting by gossip: one that has not heard of it yet still writes. */
async function whyNotEverywhere(
  desk: Desk,
  places: readonly (string | undefined)[],
  wanted: string,
): Promise<Failure | undefined> {
  for (const at of places) {
    const value = await readFence(desk, at);
    if (!value.ok) return value.failure;
    const from = at ?? "this node";
    if (value.value !== wanted)
      return failure("kwdb.fence-not-standing", { from, value: value.value, wanted });
  }
  return undefined;
}

async function pollFence(
  { host: { clock }, signal }: StepContext,
  waitMs: number,
  whyNot: () => Promise<Failure | undefined>,
): Promise<Failure | undefined> {
  for (const endMs = clock.monotonicMs() + waitMs; ; ) {
    const why = await whyNot();
    if (why === undefined || clock.monotonicMs() >= endMs || signal.aborted) return why;
    await clock.sleep(pollMs, signal).catch(() => undefined);
  }
}
