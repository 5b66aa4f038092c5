/**
 * The plan of a move: look, prepare, connect, copy batch by batch, finish the schema, wait for a person, cut over, soak, let the old
 * go. Days may pass in the waits, in which no lock is held; the fence stands for seconds.
 */
import { type Outcome, succeed } from "#proto/common/failure.ts";
import type { ClusterStage, FinishStage, Plan, PreflightStage, Stage } from "../../domain/plan.ts";
import { planFormat } from "../../domain/plan.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import { allChecks, checkMove } from "./checks.ts";
import { cutOver, settle } from "./cut-over.ts";
import { fingerprint } from "./fingerprint.ts";
import { guard, mendSchema } from "./mending.ts";
import { gate, type Move, moveOf, on, othersOf, phase, proveServer, stage } from "./move.ts";
import { mayRemove, putAway, removal } from "./old-server.ts";
import { added } from "./packages/moved.ts";
import * as patroni from "./patroni.ts";
import { settingStages } from "./restart-settings.ts";
import { minute } from "./step.ts";
import * as steps from "./steps.ts";
import { copied, opened, ready, soak } from "./waits.ts";

export function planMove(input: PlaybookInput): Outcome<Plan> {
  const found = moveOf(input);
  if (!found.ok) return found;
  const move = found.value;
  const may = mayRemove(move);
  if (!may.ok) return may;
  const checks = checkMove(input);
  return succeed({
    format: planFormat,
    digest: "",
    engine: "postgresql",
    clusters: [move.source.input.cluster.name, move.target.input.cluster.name],
    from: move.source.major,
    to: move.target.major,
    strategy: "move",
    method: move.mover.method,
    boundTo: fingerprint(input),
    stages: [
      look(move),
      ...settingStages(move, allChecks(input)),
      prepare(move),
      ...guard(move),
      connect(move),
      ...copying(move),
      finishing(move),
      ...verifying(move),
      ready(move),
      cutOver(move),
      opened(move),
      settle(move),
      soak(move),
      retire(move),
      ...removal(move),
      finish(move),
    ],
    checks,
    asks: [
      ...new Set(
        checks.filter(({ status, yields }) => status === "unknown" && yields !== "never").map(({ id }) => id),
      ),
    ],
    standsAfterAbort: true,
    pointOfNoReturn: "cut-over/open/open-writes",
    wayBack: ["way-back.postgresql.before", "way-back.postgresql.after", "way-back.postgresql.retired"],
    warnings: [
      move.mover.publishesAll ? "warning.postgresql.ddl-mended" : "warning.postgresql.ddl",
      move.mover.tellsChanges ? "warning.postgresql.superusers" : "warning.postgresql.superusers-unseen",
      "warning.postgresql.pause",
    ],
  });
}

function look(move: Move): PreflightStage {
  const { source, target, databases, settings } = move;
  const counted = steps.countRows(databases, settings.fenceLimitMs);
  return {
    kind: "preflight",
    id: "look",
    programs: [
      on(source, proveServer(source), ...patroni.atFirst(move), counted),
      on(target, proveServer(target)),
    ],
  };
}

function prepare(move: Move): ClusterStage {
  const { source, target, databases } = move;
  return stage(move, "prepare", [
    ...added(move),
    phase("export", [
      on(source, proveServer(source), steps.fixIdentities(databases), steps.exportSchema(databases)),
      on(target, proveServer(target), steps.close("close")),
    ]),
    phase("load", [
      on(target, steps.loadRoles, ...databases.map(steps.loadSchema), steps.close("close-loaded")),
    ]),
  ]);
}

/** Both directions at once: nothing of the second has to be made while the fence stands. */
function connect(move: Move): ClusterStage {
  const { source, target, databases, mover } = move;
  return stage(move, "connect", [
    phase("passwords", [
      on(target, proveServer(target), steps.makePassword("forward")),
      on(source, proveServer(source), steps.makePassword("back")),
    ]),
    phase("peers", [
      on(
        source,
        ...patroni.beforeSlots(move),
        ...mover.enter("forward", databases),
        mover.admitPeer("forward", databases, target),
        mover.publish("forward", databases),
      ),
      on(
        target,
        ...mover.enter("back", databases),
        mover.admitPeer("back", databases, source),
        mover.publish("back", databases),
      ),
    ]),
    phase("reach", [
      on(target, steps.proveReach("forward", databases, source)),
      on(source, steps.proveReach("back", databases, target)),
    ]),
  ]);
}

/** At most so many at once; each batch is waited for without a lock. */
function copying(move: Move): readonly Stage[] {
  const { source, target, databases, settings, mover } = move;
  const batches = Math.ceil(databases.length / settings.databasesAtOnce);
  return Array.from({ length: batches }, (_, index) => {
    const at = index * settings.databasesAtOnce;
    const batch = databases.slice(at, at + settings.databasesAtOnce);
    const number = index + 1;
    return [
      stage(move, `subscribe-${number}`, [
        phase("subscribe", [on(target, proveServer(target), mover.subscribe(batch, source))]),
        ...patroni.afterSlots(move, batch),
      ]),
      ...(number === 1 ? mendSchema(move) : []),
      copied(move, { number, batch, wanted: databases.slice(0, at + batch.length) }),
    ];
  }).flat();
}

function finishing(move: Move): ClusterStage {
  const { target, databases } = move;
  return stage(move, "finish-schema", [
    phase("indexes", [
      on(
        target,
        proveServer(target),
        ...databases.map(steps.finishSchema),
        steps.refreshViews(databases),
        steps.analyze(databases),
      ),
    ]),
  ]);
}

/** Before anybody waits: a difference is found while the old server serves as ever. */
function verifying(move: Move): readonly ClusterStage[] {
  const { source, target, databases, settings } = move;
  const { verifyWithinMs: withinMs } = settings;
  if (withinMs === 0) return [];
  return [
    stage(move, "verify", [
      phase("contents", [
        on(source, proveServer(source), steps.showContents(databases, withinMs)),
        on(target, proveServer(target), steps.verifyContents(databases, withinMs)),
      ]),
    ]),
  ];
}

/** What was made for the move goes from both; the old server stays closed, with its data. */
function retire(move: Move): ClusterStage {
  const { source, target, databases, mover } = move;
  const phases = [
    phase("unsubscribe", [
      on(source, proveServer(source), steps.proveFenced(), mover.unsubscribe("back", databases)),
    ]),
    phase("clear", [
      on(
        target,
        steps.dropSlots("back", databases),
        mover.unpublish("back", databases),
        ...mover.leave("back", databases),
        steps.dismissPeer("back", databases),
        steps.dropPassword("forward"),
        steps.restoreIdentities(databases),
        steps.forget(),
        steps.scan(source),
      ),
      on(
        source,
        ...mover.leave("forward", databases),
        steps.dismissPeer("forward", databases),
        steps.dropPassword("back"),
        steps.wakeTriggers(databases),
        steps.restoreIdentities(databases),
        ...patroni.atLast(move),
        steps.forget(),
        steps.scan(target),
      ),
      ...othersOf(source).map((node) => on({ ...source, node }, steps.forget())),
    ]),
    ...putAway(move),
  ];
  return {
    ...stage(move, "retire", phases),
    endsWayBack: "begun",
    waysOnFailure: ["way.postgresql.again", "way.postgresql.retired"],
  };
}

function finish({ target }: Move): FinishStage {
  return {
    kind: "finish",
    id: "finish",
    programs: [on(target, proveServer(target))],
    gates: [gate("serves", target, {}, { dwellMs: 0, limitMs: 5 * minute })],
  };
}
