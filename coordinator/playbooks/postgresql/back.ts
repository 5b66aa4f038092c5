/**
 * The way back. Before the new server was opened: everything that was made for the move goes, and the old one is open again. After
 * it: the same cut-over in the other direction, with every row that the new server has taken meanwhile, and then the same clearing.
 * It is the servers of the first plan that are gone back between: one that has taken the place of another is left alone.
 */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { ClusterStage, Plan } from "../../domain/plan.ts";
import { planFormat } from "../../domain/plan.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import type { Undone } from "../../domain/undone.ts";
import { planBackAlone } from "./alone.ts";
import { rowsLeft, unwritten } from "./behind-fence.ts";
import { clearing } from "./clearing.ts";
import { fingerprint } from "./fingerprint.ts";
import { databasesIn, kindsIn, replacedOf } from "./first-plan.ts";
import { gate, type Move, moveOf, on, phase, proveServer } from "./move.ts";
import { packagesBack } from "./packages/moved.ts";
import * as patroni from "./patroni.ts";
import { settingsBack } from "./restart-settings.ts";
import { result } from "./result.ts";
import { databasesOn } from "./sides.ts";
import * as steps from "./steps.ts";
import { carriedWithin, unreplicatedResults } from "./unreplicated.ts";

/**
 * Refused: as `moveOf`; `postgresql.back-retired`, where the old server no longer follows the new one;
 * `postgresql.server-replaced`; `postgresql.leader-moved`.
 */
export function planBack(input: PlaybookInput, back: Undone): Outcome<Plan> {
  if (input.into === undefined) return planBackAlone(input, back);
  const { strategy: _strategy, ...wish } = input.wish;
  const found = moveOf({ ...input, wish: { ...wish, to: back.plan.to, method: back.plan.method } });
  if (!found.ok) return found;
  const databases = databasesIn(back.plan, input.cluster.name) ?? found.value.databases;
  // where nobody has told it, the step that weighs it does
  const onNew = databasesOn(found.value.target.input, databases);
  const { carryLimitBytes } = found.value.settings;
  const carried = carriedWithin(onNew ?? [], carryLimitBytes, kindsIn(back.plan, input.cluster.name));
  const move = { ...found.value, databases, carried };
  const of = { of: back.rollout };
  const begun = (node: string, step: string) =>
    back.nodes.some((each) => each.node === node && each.begun.includes(step));
  if (begun(move.source.node, "unsubscribe-back"))
    return fail("postgresql.back-retired", { rollout: back.rollout });
  const leader = back.nodes.find(({ begun: ids }) => ids.includes("export-schema"))?.node ?? move.source.node;
  if (leader !== move.source.node)
    return fail("postgresql.leader-moved", {
      cluster: input.cluster.name,
      leader: move.source.node,
      node: leader,
    });
  for (const side of [move.source, move.target]) {
    const replaced = replacedOf(side, back);
    if (!replaced.ok) return replaced;
  }
  const isOpened = begun(move.target.node, "open-writes");
  const unreplicated = isOpened ? unreplicatedResults(onNew, carried) : [];
  return succeed({
    format: planFormat,
    digest: "",
    engine: "postgresql",
    clusters: [move.source.input.cluster.name, move.target.input.cluster.name],
    from: move.target.major,
    to: move.source.major,
    strategy: "move",
    method: move.mover.method,
    back: back.rollout,
    standsAfterAbort: true,
    boundTo: fingerprint(input),
    stages: [
      {
        kind: "preflight",
        id: "look",
        programs: [on(move.source, proveServer(move.source)), on(move.target, proveServer(move.target))],
      },
      ...(isOpened ? [returning(move, of)] : []),
      clearing(move, {
        of,
        isOpened,
        managed: patroni.wayBack(back.plan, of),
        written: settingsBack(back.plan, of),
        added: packagesBack(back.plan, of),
      }),
      {
        kind: "finish",
        id: "finish",
        programs: [on(move.source, proveServer(move.source))],
        gates: [gate("serves", move.source, {}, { dwellMs: 0 })],
      },
    ],
    checks: [
      result({ id: "back" }, "ok", { rollout: back.rollout, opened: isOpened ? "yes" : "no" }),
      ...unreplicated,
    ],
    asks: unreplicated.flatMap(({ id, status }) => (status === "unknown" ? [id] : [])),
    ...(isOpened ? { pointOfNoReturn: "return/open/open-writes" } : {}),
    wayBack: ["way-back.postgresql.back"],
    warnings: isOpened ? ["warning.postgresql.pause", "warning.postgresql.new-stays"] : [],
  });
}

function returning(move: Move, of: { readonly of: string }): ClusterStage {
  const { source, target, databases, settings, mover, carried } = move;
  const { fenceLimitMs, compareWithinMs, cutOverLagBytes } = settings;
  const left = rowsLeft(move, "back", of);
  return {
    kind: "cluster",
    id: "return",
    clusters: [source.input.cluster.name, target.input.cluster.name].sort(),
    before: [gate("serves", source, {}), gate("serves", target, {})],
    phases: [
      // of an earlier try whose fence has come down by itself: followed on, and only then closed again
      phase(
        "align",
        [
          on(source, proveServer(source), mover.resumeSubscriptions("back", databases, of)),
          on(target, proveServer(target), steps.weighUnreplicated(databases, carried)),
        ],
        {
          after: [
            gate("caught-up", target, { maxLagBytes: String(cutOverLagBytes) }),
            gate("following", source, { databases: JSON.stringify(databases) }),
          ],
        },
      ),
      phase("pause", [on(source, steps.pausePooler(fenceLimitMs))]),
      phase("fence", [
        on(
          target,
          proveServer(target),
          steps.fence(fenceLimitMs),
          steps.proveFenced(),
          steps.drain("back", databases, of),
          steps.measure(databases, compareWithinMs, fenceLimitMs),
          steps.writeUnreplicated(databases, carried, fenceLimitMs),
          steps.proveFenced("prove-fenced-still"),
        ),
      ]),
      phase("take-over", [
        on(
          source,
          proveServer(source),
          steps.proveFenced("prove-closed"),
          steps.setSequences(databases),
          steps.loadUnreplicated(databases, fenceLimitMs),
          steps.compare(databases, fenceLimitMs),
          steps.compareUnreplicated(databases, fenceLimitMs),
          mover.pauseSubscriptions("back", databases, of),
        ),
      ]),
      unwritten(move, { left: target, way: "back", of }),
      phase("open", [on(source, steps.wakeTriggers(databases, of), steps.open(of))], {
        makesPermanent: ["return/fence/fence-writes", "return/pause/pause-pooler"],
        after: [
          gate("opened", source, { databases: JSON.stringify(databases) }, { everyMs: 500, dwellMs: 0 }),
        ],
      }),
      phase("switch", [on(source, steps.hook("switchTrafficBack"), steps.hook("resumePooler"))]),
      // before the slots go with all that is cleared
      ...(left.length === 0 ? [] : [phase("left", [on(target, ...left)])]),
    ],
    waysOnFailure: ["way.postgresql.again", "way.postgresql.return-undone", "way.postgresql.returned"],
  };
}
