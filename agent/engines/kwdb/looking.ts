/** Verbs that only look: around the cluster, at this node, and at this node from another. */
import { z } from "zod";
import { type Failure, failure } from "#proto/common/failure.ts";
import type { NodeRow } from "#proto/engines/kwdb.ts";
import { type Host, type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { nodeRows, normal, openClient, ownRow, rangeHealth } from "./client.ts";
import { isReady, readRunning } from "./facts.ts";
import type { KwdbSettings } from "./settings.ts";
import { readUnit } from "./unit.ts";

const version = z.string().regex(/^\d+(\.\d+)+$/);
const milliseconds = z
  .string()
  .regex(/^\d{1,9}$/)
  .transform(Number);
const address = z.string().regex(/^[A-Za-z0-9._:[\]-]+:\d{1,5}$/);
const pollMs = 300;

/** The last look from this node, under the lock: all the others must be well right now. */
function lookAround(): Verb {
  return verb({
    name: "kwdb.look-around",
    class: "observe",
    args: z.strictObject({ version, target: version }),
    async run({ host }, args): Promise<StepResult> {
      const client = await openClient(host);
      if (!client.ok) return { result: "failed", failure: client.failure };
      const [rows, ranges] = await Promise.all([nodeRows(client.value), rangeHealth(client.value)]);
      if (!rows.ok) return { result: "failed", failure: rows.failure };
      if (!ranges.ok) return { result: "failed", failure: ranges.failure };
      const bad = rows.value.find((row) => !isWell(row, [args.version, args.target]));
      if (bad !== undefined)
        return failed("kwdb.cluster-not-healthy", {
          id: String(bad.id),
          address: bad.address ?? "?",
          row: describe(bad),
        });
      const { unavailable, underReplicated } = ranges.value;
      if (unavailable + underReplicated > 0)
        return failed("kwdb.ranges-not-well", {
          from: "this node",
          unavailable: String(unavailable),
          underReplicated: String(underReplicated),
        });
      return { result: "done", outputs: { nodes: String(rows.value.length) } };
    },
  });
}

function isWell(row: NodeRow, versions: readonly string[]): boolean {
  const busy = row.draining === true || row.decommissioning === true || row.upgrading === true;
  return row.isLive && row.isAvailable && !busy && versions.includes(normal(row.build));
}

function describe(row: NodeRow): string {
  const flags = [
    row.draining && "draining",
    row.decommissioning && "decommissioning",
    row.upgrading && "upgrading",
  ].filter(Boolean);
  return [
    `build ${row.build ?? "NULL"}`,
    `is_available ${row.isAvailable}`,
    `is_live ${row.isLive}`,
    ...flags,
  ].join(", ");
}

/** Ready here: the port says so, one process stays, and the node's own row says target version, live and available. */
function proveReady(settings: KwdbSettings): Verb {
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
  const rows = await nodeRows(client.value);
  return rows.ok ? whyNotUpgraded(ownRow(rows.value, client.value.mode), target) : rows.failure;
}

function whyNotUpgraded(row: NodeRow | undefined, target: string): Failure | undefined {
  if (row === undefined) return failure("kwdb.own-row-missing", { address: "" });
  if (normal(row.build) === target && row.isLive && row.isAvailable) return undefined;
  return failure("kwdb.row-not-well", { row: describe(row), target });
}

/** Seen by another node: gossip is local, so a node's own word for itself is not enough. */
function proveSeen(): Verb {
  return verb({
    name: "kwdb.prove-seen",
    class: "observe",
    args: z.strictObject({
      version,
      peers: z
        .string()
        .transform((text) => text.split(","))
        .pipe(z.array(address).min(1)),
      waitMs: milliseconds,
    }),
    async run(context, args): Promise<StepResult> {
      return poll(context, args.waitMs, async () => {
        const client = await openClient(context.host);
        if (!client.ok) return client.failure;
        let why: Failure = failure("kwdb.no-peer", {});
        for (const peer of args.peers) {
          const rows = await nodeRows(client.value, peer);
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

function proveVersion(settings: KwdbSettings): Verb {
  return verb({
    name: "kwdb.prove-version",
    class: "observe",
    args: z.strictObject({ version }),
    async run({ host }, args): Promise<StepResult> {
      const client = await openClient(host);
      if (!client.ok) return { result: "failed", failure: client.failure };
      const running = await readRunning(host, settings, client.value);
      if (!running.ok) return { result: "failed", failure: running.failure };
      if (running.value.version !== args.version)
        return failed("kwdb.node-version", {
          node: "this node",
          running: running.value.version,
          target: args.version,
        });
      return {
        result: "done",
        outputs: { running: running.value.version, executableSha256: running.value.executableSha256 },
      };
    },
  });
}

/** Looks again and again until nothing is wrong, or the time is over; the last reason is what is told. */
async function poll(
  context: StepContext,
  waitMs: number,
  whyNot: () => Promise<Failure | { readonly final: Failure } | undefined>,
): Promise<StepResult> {
  const { clock } = context.host;
  const endMs = clock.monotonicMs() + waitMs;
  for (;;) {
    const why = await whyNot();
    if (why === undefined) return { result: "done", outputs: {} };
    if ("final" in why) return { result: "failed", failure: why.final };
    if (clock.monotonicMs() >= endMs || context.signal.aborted)
      return { result: "failed", failure: { ...why, facts: { ...why.facts, waitedMs: String(waitMs) } } };
    await clock.sleep(pollMs, context.signal).catch(() => undefined);
  }
}

function failed(code: `kwdb.${string}`, facts: Failure["facts"]): StepResult {
  return { result: "failed", failure: failure(code, facts) };
}

export function lookingVerbs(settings: KwdbSettings): readonly Verb[] {
  return [lookAround(), proveReady(settings), proveSeen(), proveVersion(settings)];
}
