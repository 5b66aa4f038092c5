/**
 * The cut-over, under the locks of both clusters. Up to `open` everything is undone by itself when the fence's limit passes; the new
 * server is opened only after the old one's agent has made its fence permanent.
 */
import type { ClusterStage } from "../../domain/plan.ts";
import { rowsLeft, unwritten } from "./behind-fence.ts";
import { drainLate, mendPhases, settleColumns } from "./mending.ts";
import { gate, type Move, newServerReady, on, phase, proveServer } from "./move.ts";
import * as patroni from "./patroni.ts";
import * as steps from "./steps.ts";

export function cutOver(move: Move): ClusterStage {
  const { source, target, databases, settings, mover, carried } = move;
  const { fenceLimitMs, compareWithinMs, cutOverLagBytes } = settings;
  return {
    kind: "cluster",
    id: "cut-over",
    clusters: [source.input.cluster.name, target.input.cluster.name].sort(),
    before: [
      // one after the other: that a slot is lost is said at once, and not after the wait for its worker
      gate("caught-up", source, { maxLagBytes: String(cutOverLagBytes) }),
      gate("copied", target, { databases: JSON.stringify(databases) }),
      gate("serves", target, {}),
      // a standby may have gone since a person was asked
      newServerReady(move, { dwellMs: 0 }),
    ],
    phases: [
      // of an earlier try whose fence has come down by itself: followed on, and the way back not yet begun
      phase("align", [
        on(
          target,
          proveServer(target),
          steps.proveFenced("prove-closed"),
          mover.resumeSubscriptions("forward", databases),
          steps.dropSlots("back", databases),
        ),
      ]),
      // of a table that came and was never written to nothing has told
      ...mendPhases(move, [gate("copied", target, { databases: JSON.stringify(databases) }, { dwellMs: 0 })]),
      phase("shapes", [
        on(
          source,
          proveServer(source),
          ...drainLate(move),
          steps.proveDatabases(move.there),
          steps.describeSchema(databases),
          steps.weighUnreplicated(databases, carried),
        ),
      ]),
      phase("same-shapes", [on(target, ...settleColumns(move), steps.compareSchema(databases))]),
      ...patroni.afterFailover(move),
      phase("fence", [
        on(
          source,
          proveServer(source),
          ...patroni.beforeFence(move),
          steps.pausePooler(fenceLimitMs),
          steps.fence(fenceLimitMs),
          steps.proveFenced(),
          steps.drain("forward", databases),
          steps.measure(databases, compareWithinMs, fenceLimitMs),
          steps.writeUnreplicated(databases, carried, fenceLimitMs),
          // whoever came in between has been seen
          steps.proveFenced("prove-fenced-still"),
        ),
      ]),
      phase("take-over", [
        on(
          target,
          proveServer(target),
          // one that clients write to already is not set back
          steps.proveFenced("prove-closed"),
          steps.setSequences(databases),
          steps.loadUnreplicated(databases, fenceLimitMs),
          steps.compare(databases, fenceLimitMs),
          steps.compareUnreplicated(databases, fenceLimitMs),
          mover.pauseSubscriptions("forward", databases),
        ),
      ]),
      unwritten(move, { left: source, way: "forward" }, on(target, mover.makeSlots(databases))),
      phase("follow", [on(source, steps.quietTriggers(databases), mover.follow(databases, target))], {
        // the fence first: whatever else is refused then, it stands
        makesPermanent: [
          "cut-over/fence/fence-writes",
          "cut-over/fence/pause-pooler",
          ...patroni.madePermanent(move),
        ],
      }),
      phase("open", [on(target, steps.wakeTriggersToOpen(databases), steps.open())], {
        after: [
          gate("opened", target, { databases: JSON.stringify(databases) }, { everyMs: 500, dwellMs: 0 }),
        ],
      }),
      phase("switch", [on(source, steps.hook("switchTraffic"), steps.hook("resumePooler"))]),
    ],
    waysOnFailure: ["way.postgresql.again", "way.postgresql.undone", "way.postgresql.opened-back"],
  };
}

/** The way forth is over: its slots keep no more WAL on the old server. */
export function settle(move: Move): ClusterStage {
  const { source, target, databases, mover } = move;
  const both = [source.input.cluster.name, target.input.cluster.name].sort();
  return {
    kind: "cluster",
    id: "settle",
    clusters: both,
    before: [gate("serves", target, {}), gate("fenced", source, {})],
    phases: [
      phase("forward-ends", [on(target, proveServer(target), mover.unsubscribe("forward", databases))]),
      phase(
        "slots",
        [
          on(
            source,
            proveServer(source),
            // before anything of it goes: nobody can know it afterwards
            ...rowsLeft(move, "forward"),
            ...patroni.beforeSlotsGo(move),
            steps.dropSlots("forward", databases, { subscriber: target }),
            mover.unpublish("forward", databases),
          ),
        ],
        {
          after: [
            gate("fenced", source, {}),
            gate("following", source, { databases: JSON.stringify(databases) }),
          ],
        },
      ),
      ...patroni.onOthers(move),
    ],
    waysOnFailure: ["way.postgresql.again", "way.postgresql.stays-new"],
  };
}
