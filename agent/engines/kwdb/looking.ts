/** Verbs that only look: around the cluster, at this node, and at this node from another. */
import { z } from "zod";
import { type Failure, fail, failure, type Outcome, succeed } from "#proto/common/failure.ts";
import { done, failed, failedBy } from "../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { halfWay, milliseconds, peers, version } from "./args.ts";
import { type Client, openClient } from "./client.ts";
import { readRunning } from "./facts.ts";
import type { Installation, Means, ServiceState } from "./installation.ts";
import { installationOn } from "./installed.ts";
import { type ClusterView, isReady, markedNodes, notReadyAmong, viewCluster } from "./looks.ts";
import { describe, isWell, nodeStatus, ownRow, whyNotUpgraded } from "./node-status.ts";

const pollMs = 300;

/**
 * The last look from this node, under the lock: all must be well right now. A node on which an earlier try of this
 * rollout, or somebody by hand, has begun a change may be down, or half-way, by that: its own row says nothing then, and
 * where it does not answer its peers speak for the cluster. That its replicas are missing is no reason not to bring it back.
 */
function lookAround(means: Means): Verb {
  return verb({
    name: "kwdb.look-around",
    class: "observe",
    args: z.strictObject({ version, target: version, peers, pages: peers, halfWay }),
    async run({ host, begunBefore }, args): Promise<StepResult> {
      const here = await installationOn(host, means);
      const isAgain = begunBefore !== "nothing" || args.halfWay !== undefined;
      if (isAgain && args.peers.length === 0)
        return done({ nodes: "1", from: "nobody: the only node may be down by an upgrade that was begun" });
      const client = await openClient(here);
      if (!client.ok) return failedBy(client.failure);
      if (isAgain && !(await here.hasClient())) return lookWithoutClient(client.value, args.pages);
      const view = await viewFrom(client.value, isAgain ? [undefined, ...args.peers] : [undefined]);
      if (!view.ok) return failedBy(view.failure);
      const { nodes, ranges, from } = view.value;
      const own = ownRow(nodes, client.value.mode);
      const counted = isAgain ? nodes.filter((row) => row !== own) : nodes;
      const bad = counted.find((row) => !isWell(row, [args.version, args.target]));
      if (bad !== undefined)
        return failed("kwdb.cluster-not-healthy", {
          id: String(bad.id),
          address: bad.address ?? "?",
          row: describe(bad),
        });
      const mayLack = isAgain && own?.isLive !== true;
      if (ranges.unavailable > 0 || (ranges.underReplicated > 0 && !mayLack))
        return failed("kwdb.ranges-not-well", {
          from,
          unavailable: String(ranges.unavailable),
          underReplicated: String(ranges.underReplicated),
        });
      return done({ nodes: String(nodes.length), from });
    },
  });
}

/**
 * A package change that was cut short leaves the node without its client. Each peer then answers for itself: its page
 * says yes only while it serves, is live and does not drain.
 */
async function lookWithoutClient({ mode }: Client, pages: readonly string[]): Promise<StepResult> {
  const [bad] = await notReadyAmong(mode, pages);
  if (bad === undefined) return done({ nodes: String(pages.length + 1), from: "the peers' own pages" });
  const row = "its page does not say ready";
  return failed("kwdb.cluster-not-healthy", { id: "?", address: bad, row });
}

/** The cluster as the first of these sees it that answers; the first reason when none does. */
async function viewFrom(
  client: Client,
  places: readonly (string | undefined)[],
): Promise<Outcome<ClusterView & { readonly from: string }>> {
  let first: Outcome<never> | undefined;
  for (const at of places) {
    const view = await viewCluster(client, { at });
    if (view.ok) return succeed({ ...view.value, from: at ?? "this node" });
    first ??= view;
  }
  return first ?? fail("kwdb.no-peer", {});
}

/** Ready here: the port says so, one process stays, and the node's own row says target version, live and available. */
function proveReady(means: Means): Verb {
  return verb({
    name: "kwdb.prove-ready",
    class: "observe",
    args: z.strictObject({ version, waitMs: milliseconds, stableMs: milliseconds }),
    async run(context, args): Promise<StepResult> {
      const { clock } = context.host;
      const here = await installationOn(context.host, means);
      let stableSinceMs: number | undefined;
      let deadSinceMs: number | undefined;
      let pid = 0;
      return poll(context, args.waitMs, async () => {
        const unit = await here.service();
        if (!unit.ok) return unit.failure;
        if (unit.value.mainPid === 0) {
          deadSinceMs ??= clock.monotonicMs();
          // the unit has no Restart: what is dead stays dead, and waiting longer tells nothing
          const isFinal = clock.monotonicMs() - deadSinceMs >= args.stableMs;
          const why = await whyNotRunning(here, unit.value);
          return isFinal ? { final: why } : why;
        }
        deadSinceMs = undefined;
        if (unit.value.mainPid !== pid) stableSinceMs = clock.monotonicMs();
        pid = unit.value.mainPid;
        const why = await whyNotReady(here, args.version);
        if (why !== undefined) return why;
        const stableMs = clock.monotonicMs() - (stableSinceMs ?? clock.monotonicMs());
        return stableMs >= args.stableMs
          ? undefined
          : failure("kwdb.node-not-stable", { pid: String(pid), stableMs: String(Math.round(stableMs)) });
      });
    },
  });
}

async function whyNotRunning(here: Installation, { active, sub }: ServiceState): Promise<Failure> {
  const end = await here.end?.();
  return end === undefined
    ? failure("kwdb.node-not-running", { active, sub })
    : failure("kwdb.container-ended", end);
}

async function whyNotReady(here: Installation, target: string): Promise<Failure | undefined> {
  const ready = await isReady(here);
  if (!ready.ok) return ready.failure;
  if (!ready.value) return failure("kwdb.node-not-ready", { node: "this node" });
  const client = await openClient(here);
  if (!client.ok) return client.failure;
  const rows = await markedNodes(client.value);
  if (!rows.ok) return rows.failure;
  return whyNotUpgraded(ownRow(rows.value, client.value.mode), target) ?? (await whyOtherImage(here));
}

/** A container may still be of the image before: what runs must be what a start would take. */
async function whyOtherImage(here: Installation): Promise<Failure | undefined> {
  if (here.container === undefined) return undefined;
  const [container, wanted] = [await here.container(), await here.program()];
  if (!container.ok) return container.failure;
  if (!wanted.ok) return wanted.failure;
  const { imageId } = container.value;
  return imageId === `sha256:${wanted.value.sha256}`
    ? undefined
    : failure("kwdb.image-other", { found: imageId, wanted: wanted.value.sha256 });
}

/** Seen by another node: gossip is local, so a node's own word for itself is not enough. */
function proveSeen(means: Means): Verb {
  return verb({
    name: "kwdb.prove-seen",
    class: "observe",
    args: z.strictObject({
      version,
      peers: peers.refine((all) => all.length > 0),
      waitMs: milliseconds,
    }),
    async run(context, args): Promise<StepResult> {
      const here = await installationOn(context.host, means);
      return poll(context, args.waitMs, async () => {
        const client = await openClient(here);
        if (!client.ok) return client.failure;
        let why: Failure = failure("kwdb.no-peer", {});
        for (const peer of args.peers) {
          const rows = await nodeStatus(client.value, { at: peer });
          const found = rows.ok
            ? whyNotUpgraded(ownRow(rows.value, client.value.mode), args.version)
            : rows.failure;
          if (found === undefined) return undefined;
          why = { ...found, facts: { ...found.facts, from: peer } };
        }
        return why;
      });
    },
  });
}

function proveVersion(means: Means): Verb {
  return verb({
    name: "kwdb.prove-version",
    class: "observe",
    args: z.strictObject({ version }),
    async run({ host }, args): Promise<StepResult> {
      const here = await installationOn(host, means);
      const client = openClient(here);
      const rows = client.then((open) => (open.ok ? nodeStatus(open.value) : open));
      const running = await readRunning(here, { client, rows });
      if (!running.ok) return failedBy(running.failure);
      const { version: found, executableSha256 } = running.value;
      return found === args.version
        ? done({ running: found, executableSha256 })
        : failed("kwdb.node-version", { node: "this node", running: found, target: args.version });
    },
  });
}

type WhyNot = Failure | { readonly final: Failure } | undefined;

/** Looks again and again until nothing is wrong, or the time is over; the last reason is what is told. */
async function poll(
  context: StepContext,
  waitMs: number,
  whyNot: () => Promise<WhyNot>,
): Promise<StepResult> {
  const { clock } = context.host;
  const endMs = clock.monotonicMs() + waitMs;
  for (;;) {
    const why = await whyNot();
    if (why === undefined) return done();
    if ("final" in why) return failedBy(why.final);
    if (clock.monotonicMs() >= endMs || context.signal.aborted)
      return failed(why.code, { ...why.facts, waitedMs: String(waitMs) });
    await clock.sleep(pollMs, context.signal).catch(() => undefined);
  }
}

export function lookingVerbs(means: Means): readonly Verb[] {
  return [lookAround(means), proveReady(means), proveSeen(means), proveVersion(means)];
}
