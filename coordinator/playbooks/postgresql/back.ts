/**
 * The way back. Before the new server was opened: everything that was made for the move goes, and the old one is open again. After
 * it: the same cut-over in the other direction, with every row that the new server has taken meanwhile, and then the same clearing.
 */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { ClusterStage, Phase, Plan } from "../../domain/plan.ts";
import { planFormat } from "../../domain/plan.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import type { Undone } from "../../domain/undone.ts";
import { fingerprint } from "./fingerprint.ts";
import { gate, type Move, moveOf, on, othersOf, phase, proveServer } from "./move.ts";
import * as patroni from "./patroni.ts";
import { settingsBack } from "./restart-settings.ts";
import { result } from "./result.ts";
import * as steps from "./steps.ts";

/** Refused: as `moveOf`; `postgresql.back-retired`, where the old server no longer follows the new one. */
export function planBack(input: PlaybookInput, back: Undone): Outcome<Plan> {
  const { strategy: _strategy, ...wish } = input.wish;
  const found = moveOf({ ...input, wish: { ...wish, to: back.plan.to, method: back.plan.method } });
  if (!found.ok) return found;
  const databases = databasesIn(back) ?? found.value.databases;
  const move = { ...found.value, databases };
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
  const isOpened = begun(move.target.node, "open-writes");
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
      }),
      {
        kind: "finish",
        id: "finish",
        programs: [on(move.source, proveServer(move.source))],
        gates: [gate("serves", move.source, {}, { dwellMs: 0 })],
      },
    ],
    checks: [result({ id: "back" }, "ok", { rollout: back.rollout, opened: isOpened ? "yes" : "no" })],
    asks: [],
    ...(isOpened ? { pointOfNoReturn: "return/open/open-writes" } : {}),
    wayBack: ["way-back.postgresql.back"],
    warnings: isOpened ? ["warning.postgresql.pause", "warning.postgresql.new-stays"] : [],
  });
}

/** As the first plan had them: a database that came later is none of its business. */
function databasesIn({ plan }: Undone): readonly string[] | undefined {
  for (const stage of plan.stages) {
    if (stage.kind !== "cluster") continue;
    for (const { programs } of stage.phases)
      for (const { steps: each } of programs)
        for (const { call } of each)
          if (call.verb === "postgresql.export-schema")
            return JSON.parse(call.args["databases"] ?? "[]") as string[];
  }
  return undefined;
}

function returning(move: Move, of: { readonly of: string }): ClusterStage {
  const { source, target, databases, settings, mover } = move;
  const { fenceLimitMs, compareWithinMs, cutOverLagBytes } = settings;
  return {
    kind: "cluster",
    id: "return",
    clusters: [source.input.cluster.name, target.input.cluster.name].sort(),
    before: [
      gate("caught-up", target, { maxLagBytes: String(cutOverLagBytes) }),
      gate("following", source, { databases: JSON.stringify(databases) }),
    ],
    phases: [
      phase("fence", [
        on(
          target,
          proveServer(target),
          steps.fence(fenceLimitMs),
          steps.proveFenced(),
          steps.drain("back", databases, of),
          steps.measure(databases, compareWithinMs, fenceLimitMs),
          steps.proveFenced("prove-fenced-still"),
        ),
      ]),
      phase("take-over", [
        on(
          source,
          proveServer(source),
          steps.proveFenced("prove-closed"),
          steps.setSequences(databases),
          steps.compare(databases, fenceLimitMs),
          mover.pauseSubscriptions("back", databases, of),
        ),
      ]),
      phase("open", [on(source, steps.open(of))], {
        makesPermanent: ["return/fence/fence-writes"],
        after: [
          gate("opened", source, { databases: JSON.stringify(databases) }, { everyMs: 500, dwellMs: 0 }),
        ],
      }),
      phase("switch", [on(source, steps.hook("switchTrafficBack"), steps.hook("resumePooler"))]),
    ],
    waysOnFailure: ["way.postgresql.again", "way.postgresql.undone"],
  };
}

/** In the order in which one thing hangs on another; what was never made is found gone. */
function clearing(
  move: Move,
  {
    of,
    isOpened,
    managed,
    written,
  }: {
    readonly of: { readonly of: string };
    readonly isOpened: boolean;
    readonly managed: ReturnType<typeof patroni.wayBack>;
    readonly written: ReturnType<typeof settingsBack>;
  },
): ClusterStage {
  const { source, target, databases, mover } = move;
  const onBoth = (id: string, way: "forward" | "back", from: typeof source, to: typeof target): Phase[] => [
    phase(`${id}-unsubscribe`, [on(to, mover.unsubscribe(way, databases, of))]),
    phase(`${id}-clear`, [
      on(
        from,
        ...(way === "forward" ? managed.beforeSlotsGo : []),
        steps.dropSlots(way, databases, { of, subscriber: to }),
        mover.unpublish(way, databases, of),
        steps.dismissPeer(way, databases, of),
      ),
      on(to, steps.dropPassword(way, of)),
    ]),
  ];
  const restored = (node: string) => written.flatMap((each) => (each.node === node ? [each.step] : []));
  // the return itself has measured and fenced, under its own name
  const ownNotes = isOpened ? [steps.forget({}, "forget-own")] : [];
  return {
    kind: "cluster",
    id: "clear",
    clusters: [source.input.cluster.name, target.input.cluster.name].sort(),
    before: [gate("serves", source, {})],
    phases: [
      ...onBoth("forward", "forward", source, target),
      ...patroni.onOthers(move, { of, isKept: managed.isKept }),
      ...onBoth("back", "back", target, source),
      phase("source", [
        on(
          source,
          ...(isOpened ? [] : [steps.unfence(of), steps.hook("resumePooler")]),
          ...mover.leave("forward", databases, of),
          steps.restoreIdentities(databases, of),
          ...managed.atLast,
          ...restored(source.node),
          steps.forget(of),
          ...ownNotes,
          steps.scan(target, of),
        ),
        ...othersOf(source).map((node) => on({ ...source, node }, ...restored(node), steps.forget(of))),
      ]),
      phase("target", [
        on(
          target,
          ...mover.leave("back", databases, of),
          ...(isOpened
            ? [steps.restoreIdentities(databases, of)]
            : [
                ...databases.map((database, index) => steps.dropLoaded(database, index, of)),
                steps.dropRoles(of),
                steps.unfence(of),
              ]),
          steps.forget(of),
          ...ownNotes,
          steps.scan(source, of),
        ),
      ]),
    ],
    waysOnFailure: ["way.postgresql.again"],
  };
}
