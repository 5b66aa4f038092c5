/** What was made for a move is taken away from both servers, or from the one that is left. */
import type { ClusterStage, Phase } from "../../domain/plan.ts";
import { gate, type Move, on, othersOf, phase, proveServer } from "./move.ts";
import type { packagesBack } from "./packages/moved.ts";
import * as patroni from "./patroni.ts";
import type { settingsBack } from "./restart-settings.ts";
import * as steps from "./steps.ts";

/** In the order in which one thing hangs on another; what was never made is found gone. */
export function clearing(
  move: Move,
  {
    of,
    isOpened,
    managed,
    written,
    added,
  }: {
    readonly of: { readonly of: string };
    readonly isOpened: boolean;
    readonly managed: ReturnType<typeof patroni.wayBack>;
    readonly written: ReturnType<typeof settingsBack>;
    /** Taken away as long as the new server was never opened. */
    readonly added: ReturnType<typeof packagesBack>;
  },
): ClusterStage {
  const { source, target, databases, mover } = move;
  const onBoth = (id: string, way: "forward" | "back", from: typeof source, to: typeof target): Phase[] => [
    phase(`${id}-unsubscribe`, [on(to, proveServer(to), mover.unsubscribe(way, databases, of))]),
    phase(`${id}-clear`, [
      on(
        from,
        proveServer(from),
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
    endsWayBack: "passed",
    clusters: [source.input.cluster.name, target.input.cluster.name].sort(),
    before: [gate("serves", source, {})],
    phases: [
      ...onBoth("forward", "forward", source, target),
      ...patroni.onOthers(move, { of, isKept: managed.isKept }),
      ...onBoth("back", "back", target, source),
      phase("source", [
        on(
          source,
          proveServer(source),
          ...(isOpened
            ? []
            : [steps.wakeTriggers(databases, of), steps.unfence(of), steps.hook("resumePooler")]),
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
          proveServer(target),
          ...mover.leave("back", databases, of),
          ...(isOpened
            ? [steps.restoreIdentities(databases, of)]
            : [
                ...databases.map((database, index) => steps.dropLoaded(database, index, of)),
                steps.dropRoles(of),
                steps.unfence(of),
                ...added.flatMap((each) => (each.node === target.node ? [each.step] : [])),
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
