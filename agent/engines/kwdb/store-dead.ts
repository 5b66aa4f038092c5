/**
 * `server.time_until_store_dead` raised while this node is away, and put back to the letter afterwards. What it was is
 * kept durably before it is raised, so that a try that comes later never takes the raised value for the original.
 */
import { z } from "zod";
import { type Failure, fail, failure, type Outcome, succeed } from "#proto/common/failure.ts";
import { intervalMs } from "#proto/engines/kwdb-interval.ts";
import { done, failedBy } from "../../outcome.ts";
import { type Host, type Probe, type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { nothing } from "./args.ts";
import { type Client, openClient } from "./client.ts";
import type { Means } from "./installation.ts";
import { installationOn } from "./installed.ts";
import { forgetKept, type KeptStoreDead, keptFormat, readKept, writeKept } from "./store-dead-kept.ts";

export const setting = "server.time_until_store_dead";
/** Only such texts are written into SQL. */
export const duration = z.string().regex(/^[0-9][0-9a-z.:]{0,30}$/);
const args = z.strictObject({ to: duration, was: duration });
type Args = z.infer<typeof args>;

export function storeDeadVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "kwdb.raise-store-dead",
      class: "reversible",
      args,
      run: (context, given) => raise(context, given, means),
      probe: (context, given) => isRaised(context, given, means),
    }),
    verb({
      name: "kwdb.put-back-store-dead",
      class: "reversible",
      args: nothing,
      run: (context) => putBack(context, means),
      probe: (context) => isPutBack(context, means),
    }),
    verb({
      name: "kwdb.report-store-dead",
      class: "observe",
      args,
      run: (context, given) => report(context, given, means),
    }),
  ];
}

interface Now {
  readonly client: Client;
  /** As every node shows it. */
  readonly shown: string;
  /** As it was set; null where it was not. */
  readonly own: string | null;
}

async function raise(context: StepContext, given: Args, means: Means): Promise<StepResult> {
  const { host, rollout } = context;
  const [now, kept] = [await whenAnswered(context, means), await readKept(host)];
  if (!now.ok) return failedBy(now.failure);
  if (!kept.ok) return failedBy(kept.failure);
  if (isHighEnough(now.value, given)) return done({ found: `it is ${now.value.shown}` });
  const was = originalOf(now.value, kept.value, given);
  await writeKept(host, { format: keptFormat, rollout, was, raisedTo: given.to });
  const ran = await context.tool(now.value.client.command(["sql", "-e", setTo(given.to)]));
  const why = await whyNotShown(context, now.value.client, given.to);
  return why === undefined ? done({ was: was ?? "not set", to: given.to }) : failedBy(why, ran.tail);
}

/**
 * The value that stands is the original, unless it is ours: raised by an earlier try of this agent, or, where this
 * agent has kept nothing, by that of another node which was then skipped.
 */
function originalOf({ shown, own }: Now, kept: KeptStoreDead | null, { to, was }: Args): string | null {
  if (kept !== null && isSame(shown, kept.raisedTo)) return kept.was;
  return isSame(shown, to) ? was : own;
}

/** Higher than is wanted, and so not by us. */
function isHighEnough({ shown }: Now, { to }: Args): boolean {
  return (intervalMs(shown) ?? 0) > (intervalMs(to) ?? Number.POSITIVE_INFINITY);
}

async function isRaised(context: StepContext, given: Args, means: Means): Promise<Probe> {
  const [now, kept] = [await whenAnswered(context, means), await readKept(context.host)];
  if (!now.ok) return { state: "unknown", failure: now.failure };
  if (!kept.ok) return { state: "unknown", failure: kept.failure };
  const isOurs = kept.value?.raisedTo === given.to && kept.value.rollout === context.rollout;
  return isOurs && isSame(now.value.shown, given.to)
    ? { state: "done", outputs: { was: kept.value?.was ?? "not set", to: given.to } }
    : { state: "not-done" };
}

async function putBack(context: StepContext, means: Means): Promise<StepResult> {
  const { host } = context;
  const kept = await readKept(host);
  if (!kept.ok) return failedBy(kept.failure);
  if (kept.value === null) return done({ found: "nothing was raised from here" });
  const { was, raisedTo } = kept.value;
  const now = await whenAnswered(context, means);
  if (!now.ok) return failedBy(now.failure);
  // somebody has set it since: that is theirs, and an earlier life of this step may have been it
  const isOurs = isSame(now.value.shown, raisedTo);
  if (isOurs) {
    const statement = was === null ? `RESET CLUSTER SETTING ${setting}` : setTo(was);
    const ran = await context.tool(now.value.client.command(["sql", "-e", statement]));
    const why = await whyStillRaised(context, now.value.client, raisedTo);
    if (why !== undefined) return failedBy(why, ran.tail);
  }
  await forgetKept(host);
  return done(isOurs ? { now: was ?? "not set" } : { found: `it is ${now.value.shown}` });
}

async function isPutBack(context: StepContext, _: Means): Promise<Probe> {
  const kept = await readKept(context.host);
  if (!kept.ok) return { state: "unknown", failure: kept.failure };
  return kept.value === null
    ? { state: "done", outputs: { found: "nothing is raised from here" } }
    : { state: "not-done" };
}

/** Told at the rollout's end, stops nothing. */
async function report(context: StepContext, { to, was }: Args, means: Means): Promise<StepResult> {
  const now = await whenAnswered(context, means);
  if (!now.ok) return done({ [`not-seen.${setting}`]: "it could not be asked whether it is as it was" });
  const { shown } = now.value;
  return done(
    isSame(shown, to)
      ? {
          [`not-seen.${setting}`]: `it is still raised to ${shown}; before: ${was}. Put it back: ${setTo(was)}`,
        }
      : { [setting]: shown },
  );
}

export function setTo(value: string): string {
  return `SET CLUSTER SETTING ${setting} = '${value}'`;
}

export function isSame(left: string, right: string): boolean {
  const [one, other] = [intervalMs(left), intervalMs(right)];
  return one !== undefined && one === other;
}

const waitMs = 2 * 60_000;
const pollMs = 500;

/** A node that was just started answers after a while. */
export async function whenAnswered(context: StepContext, means: Means): Promise<Outcome<Now>> {
  const { clock } = context.host;
  const endMs = clock.monotonicMs() + Math.min(waitMs, context.deadlineMs / 2);
  for (;;) {
    const now = await ask(context.host, means);
    if (now.ok || clock.monotonicMs() >= endMs || context.signal.aborted) return now;
    await clock.sleep(pollMs, context.signal).catch(() => undefined);
  }
}

const shownAs = {
  sql: `SELECT variable, value FROM kwdb_internal.cluster_settings WHERE variable = '${setting}'`,
  columns: ["variable", "value"],
};
/** Has a row only for what somebody has set. */
const setAs = {
  sql: `SELECT name, value FROM system.settings WHERE name = '${setting}'`,
  columns: ["name", "value"],
};

async function ask(host: Host, means: Means): Promise<Outcome<Now>> {
  const client = await openClient(await installationOn(host, means));
  if (!client.ok) return client;
  const [shown, own] = await client.value.ask([shownAs, setAs]);
  if (shown === undefined || own === undefined) return fail("kwdb.settings-missing", { name: setting });
  if (!shown.ok) return shown;
  if (!own.ok) return own;
  const value = shown.value[0]?.["value"];
  if (typeof value !== "string" || intervalMs(value) === undefined)
    return fail("kwdb.settings-missing", { name: setting });
  const set = own.value[0]?.["value"] ?? null;
  // whatever stands there goes back into SQL one day
  return set === null || duration.safeParse(set).success
    ? succeed({ client: client.value, shown: value, own: set })
    : fail("kwdb.store-dead-unreadable", { value: set });
}

async function shownBy(client: Client): Promise<Outcome<string>> {
  const [shown] = await client.ask([shownAs]);
  if (shown === undefined) return fail("kwdb.settings-missing", { name: setting });
  return shown.ok ? succeed(shown.value[0]?.["value"] ?? "") : shown;
}

const settleMs = 15_000;

export async function whyNotShown(
  context: StepContext,
  client: Client,
  wanted: string,
): Promise<Failure | undefined> {
  return whyNot(context, client, { wanted, isRight: (shown) => isSame(shown, wanted) });
}

async function whyStillRaised(
  context: StepContext,
  client: Client,
  raised: string,
): Promise<Failure | undefined> {
  return whyNot(context, client, {
    wanted: "as before",
    isRight: (shown) => shown !== "" && !isSame(shown, raised),
  });
}

/** Gossip brings a setting to this node; that takes a moment. */
async function whyNot(
  { host: { clock }, signal }: StepContext,
  client: Client,
  { wanted, isRight }: { readonly wanted: string; readonly isRight: (shown: string) => boolean },
): Promise<Failure | undefined> {
  const endMs = clock.monotonicMs() + settleMs;
  for (;;) {
    const shown = await shownBy(client);
    if (shown.ok && isRight(shown.value)) return undefined;
    if (clock.monotonicMs() >= endMs || signal.aborted) {
      return shown.ok ? failure("kwdb.store-dead-not-set", { wanted, found: shown.value }) : shown.failure;
    }
    await clock.sleep(pollMs, signal).catch(() => undefined);
  }
}
