/** Verbs that only look: around the cluster, at this node, and at this node from another. */
import { z } from "zod";
import { type Failure, failure } from "#proto/common/failure.ts";
import { type Host, type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { milliseconds, peers, version } from "./args.ts";
import { openClient } from "./client.ts";
import { type FactsMeans, readRunning } from "./facts.ts";
import { isReady, markedNodes, viewCluster } from "./looks.ts";
import { describe, isWell, nodeStatus, ownRow, whyNotUpgraded } from "./node-status.ts";
import { done, failed, failedBy } from "./outcome.ts";
import { readUnit } from "./unit.ts";

const pollMs = 300;

/** The last look from this node, under the lock: all the others must be well right now. */
const lookAround = verb({
  name: "kwdb.look-around",
  class: "observe",
  args: z.strictObject({ version, target: version }),
  async run({ host }, args): Promise<StepResult> {
    const client = await openClient(host);
    if (!client.ok) return failedBy(client.failure);
    const view = await viewCluster(client.value);
    if (!view.ok) return failedBy(view.failure);
    const { nodes, ranges } = view.value;
    const bad = nodes.find((row) => !isWell(row, [args.version, args.target]));
    if (bad !== undefined)
      return failed("kwdb.cluster-not-healthy", {
        id: String(bad.id),
        address: bad.address ?? "?",
        row: describe(bad),
      });
    const { unavailable, underReplicated } = ranges;
    if (unavailable + underReplicated > 0)
      return failed("kwdb.ranges-not-well", {
        from: "this node",
        unavailable: String(unavailable),
        underReplicated: String(underReplicated),
      });
    return done({ nodes: String(nodes.length) });
  },
});

/** Ready here: the port says so, one process stays, and the node's own row says target version, live and available. */
function proveReady({ settings }: FactsMeans): Verb {
  return verb({
    name: "kwdb.prove-ready",
    class: "observe",
    args: z.strictObject({ version, waitMs: milliseconds, stableMs: milliseconds }),
    async run(context, args): Promise<StepResult> {
      const { clock } = context.host;
      let stableSinceMs: number | undefined;
      let deadSinceMs: number | undefined;
      let pid = 0;
      return poll(context, args.waitMs, async () => {
        const unit = await readUnit(context.host, settings.unit);
        if (!unit.ok) return unit.failure;
        if (unit.value.mainPid === 0) {
          deadSinceMs ??= clock.monotonicMs();
          // the unit has no Restart: what is dead stays dead, and waiting longer tells nothing
          const isFinal = clock.monotonicMs() - deadSinceMs >= args.stableMs;
          const why = failure("kwdb.node-not-running", { active: unit.value.active, sub: unit.value.sub });
          return isFinal ? { final: why } : why;
        }
        deadSinceMs = undefined;
        if (unit.value.mainPid !== pid) stableSinceMs = clock.monotonicMs();
        pid = unit.value.mainPid;
        const why = await whyNotReady(context.host, args.version);
        if (why !== undefined) return why;
        const stableMs = clock.monotonicMs() - (stableSinceMs ?? clock.monotonicMs());
        return stableMs >= args.stableMs
          ? undefined
          : failure("kwdb.node-not-stable", { pid: String(pid), stableMs: String(Math.round(stableMs)) });
      });
    },
  });
}

async function whyNotReady(host: Host, target: string): Promise<Failure | undefined> {
  const ready = await isReady(host);
  if (!ready.ok) return ready.failure;
  if (!ready.value) return failure("kwdb.node-not-ready", { node: "this node" });
  const client = await openClient(host);
  if (!client.ok) return client.failure;
  const rows = await markedNodes(client.value);
  return rows.ok ? whyNotUpgraded(ownRow(rows.value, client.value.mode), target) : rows.failure;
}

/** Seen by another node: gossip is local, so a node's own word for itself is not enough. */
const proveSeen = verb({
  name: "kwdb.prove-seen",
  class: "observe",
  args: z.strictObject({ version, peers, waitMs: milliseconds }),
  async run(context, args): Promise<StepResult> {
    return poll(context, args.waitMs, async () => {
      const client = await openClient(context.host);
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

function proveVersion(means: FactsMeans): Verb {
  return verb({
    name: "kwdb.prove-version",
    class: "observe",
    args: z.strictObject({ version }),
    async run({ host }, args): Promise<StepResult> {
      const client = openClient(host);
      const rows = client.then((open) => (open.ok ? nodeStatus(open.value) : open));
      const running = await readRunning(host, means, { client, rows });
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

export function lookingVerbs(means: FactsMeans): readonly Verb[] {
  return [lookAround, proveReady(means), proveSeen, proveVersion(means)];
}
