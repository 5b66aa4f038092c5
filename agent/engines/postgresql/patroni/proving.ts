/**
 * That this host is Patroni's leader, and that no failover came between the rows and the cut-over: the one that was first may have
 * sent rows that its successor never had, and what the successor writes has places in the WAL that the other side has passed
 * already. So after a failover all contents are compared once more, every table of them, before the fence.
 */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { type Failure, FailureError, failure } from "#proto/common/failure.ts";
import { markOf } from "../../../host/marks.ts";
import { done } from "../../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../../verb.ts";
import { ask, must, of, ownerOf, probeOf, resultOf, stop } from "../desk.ts";
import { heard, tell } from "../meeting.ts";
import type { Means } from "../settings.ts";
import { compareAll, contentsArgs, showAll } from "../verifying.ts";
import { readPatroni } from "./facts.ts";
import { named } from "./patronictl.ts";

/** Of the rows; `shown`: on which the contents were shown for the comparison that came last. */
const origin = z.object({ timeline: z.string(), shown: z.string().optional() });

export function provingVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.prove-leader",
      class: "observe",
      args: of,
      run: (context) => resultOf(() => proveLeader(context, means)),
    }),
    verb({
      name: "postgresql.note-timeline",
      class: "reversible",
      args: of,
      run: (context, args) => resultOf(() => note(context, means, ownerOf(context, args))),
      probe: (context, args) =>
        probeOf(async () =>
          (await markFor(context, ownerOf(context, args)).read()) === undefined ? ["timeline"] : [],
        ),
    }),
    verb({
      name: "postgresql.prove-timeline",
      class: "observe",
      args: of,
      run: (context, args) => resultOf(() => proveTimeline(context, means, ownerOf(context, args))),
    }),
    verb({
      name: "postgresql.show-after-failover",
      class: "observe",
      args: contentsArgs,
      run: (context, given) => resultOf(() => show(context, means, given)),
    }),
    verb({
      name: "postgresql.verify-after-failover",
      class: "observe",
      args: contentsArgs,
      run: (context, given) => resultOf(() => verifyAgain(context, means, given)),
    }),
  ];
}

function markFor({ host }: StepContext, rollout: string) {
  return markOf({ host, rollout }, "timeline", origin);
}

async function proveLeader(context: StepContext, means: Means): Promise<StepResult> {
  const { member, members, isStandbyCluster, scope } = must(await readPatroni(context.host, named(means)));
  const leader = members.find(({ role }) => role === "leader")?.name ?? "none";
  const facts = { scope, member, leader };
  if (isStandbyCluster || leader !== member) stop("postgresql.patroni-other-leader", facts);
  return done(facts);
}

/** Hexadecimal, as names of WAL files begin. */
async function timelineNow(context: StepContext, means: Means): Promise<string> {
  const [row] = await ask(context, means, (sql) =>
    sql.rows("SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8) AS timeline"),
  );
  return row?.["timeline"] ?? "";
}

async function note(context: StepContext, means: Means, rollout: string): Promise<StepResult> {
  const timeline = await timelineNow(context, means);
  await markFor(context, rollout).write({ timeline });
  return done({ timeline });
}

/** A comparison that failed has ended the stage: who comes here after one has passed it. */
async function proveTimeline(context: StepContext, means: Means, rollout: string): Promise<StepResult> {
  const mark = markFor(context, rollout);
  const known = await mark.read();
  const timeline = await timelineNow(context, means);
  if (known?.timeline === timeline) return done({ timeline });
  if (known?.shown !== timeline)
    stop("postgresql.timeline-changed", { rollout, before: known?.timeline ?? "not noted", now: timeline });
  await mark.write({ timeline });
  return done({ timeline, before: known.timeline });
}

type Contents = z.infer<typeof contentsArgs>;
/** What the old server says of its timeline, and the new one of what it has compared. */
type Word = "same" | "changed" | "equal" | "refused";

const meetMs = 120_000;
const pollMs = 200;
const refusal = z.object({ code: z.string(), facts: z.record(z.string(), z.string()) });

function nameOf({ attempt }: StepContext, word: Word): string {
  return `timeline-${word}-${attempt}`;
}

/** A comparison that failed fails on both sides, so that both do it anew when the stage is tried again. */
async function show(context: StepContext, means: Means, given: Contents): Promise<StepResult> {
  const mark = markFor(context, context.rollout);
  const known = await mark.read();
  const timeline = await timelineNow(context, means);
  const facts = { before: known?.timeline ?? "not noted", now: timeline };
  if (known?.timeline === timeline) {
    await tell(context, nameOf(context, "same"), "");
    return done({ timeline });
  }
  await tell(context, nameOf(context, "changed"), "");
  await showAll(context, means, given);
  const said = await hear(context, ["equal", "refused"], given.withinMs + meetMs);
  if (said === "refused") throw new FailureError(await whyRefused(context));
  if (said === undefined) stop("postgresql.timeline-changed", { ...facts, rollout: context.rollout });
  await mark.write({ timeline: facts.before, shown: timeline });
  return done(facts);
}

async function verifyAgain(context: StepContext, means: Means, given: Contents): Promise<StepResult> {
  const said = await hear(context, ["same", "changed"], meetMs);
  if (said === "same") return done({ found: "no failover" });
  if (said === undefined)
    stop("postgresql.parcel-missing", { what: "the old server's word on its timeline" });
  try {
    const { compared, left } = await compareAll(context, means, given);
    if (left.length > 0) stop("postgresql.contents-not-all", { found: left.slice(0, 20).join(", ") });
    await tell(context, nameOf(context, "equal"), "");
    return done({
      "told.failover": `after a failover, ${compared} tables were compared by content once more`,
    });
  } catch (error) {
    if (error instanceof FailureError)
      await tell(context, nameOf(context, "refused"), JSON.stringify(error.failure));
    throw error;
  }
}

/** In the words of the side that has compared. */
async function whyRefused(context: StepContext): Promise<Failure> {
  const sent = must(await context.parcels.find(nameOf(context, "refused")));
  const text = await readFile(must(await context.parcels.fetch(sent?.digest ?? "")), "utf8");
  const { code, facts } = refusal.parse(JSON.parse(text));
  return failure(code as Failure["code"], facts);
}

async function hear<W extends Word>(
  context: StepContext,
  words: readonly W[],
  limitMs: number,
): Promise<W | undefined> {
  const { clock } = context.host;
  for (const endMs = clock.monotonicMs() + limitMs; clock.monotonicMs() < endMs && !context.signal.aborted; )
    for (const word of words) if (await heard(context, nameOf(context, word), pollMs)) return word;
  return undefined;
}
