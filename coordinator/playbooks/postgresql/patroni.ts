/**
 * What a move does beside its own steps where Patroni manages the old server: its slots stay, nothing fails over from the fence to
 * the end of the soak, and at the end its configuration is as it was. Without Patroni each of these is nothing.
 */
import { known } from "#proto/common/measured.ts";
import type { Patroni } from "#proto/engines/postgresql-patroni.ts";
import type { Phase, Plan, PlanStep } from "../../domain/plan.ts";
import { fullOf } from "./facts.ts";
import { type Endpoint, type Move, on, othersOf, phase } from "./move.ts";
import type { Of } from "./steps/of.ts";
import * as patroni from "./steps/patroni.ts";
import { dropSlots } from "./steps/replication.ts";

export function patroniOf({ input, node }: Endpoint): Patroni | undefined {
  return known(fullOf(input.reports[node])?.patroni) ?? undefined;
}

function where(endpoint: Endpoint, ...steps: readonly PlanStep[]): readonly PlanStep[] {
  return patroniOf(endpoint) === undefined ? [] : steps;
}

export function atFirst({ source }: Move): readonly PlanStep[] {
  return where(source, patroni.proveLeader);
}

/** Before the first slot is made. */
export function beforeSlots({ source, databases }: Move): readonly PlanStep[] {
  return where(source, patroni.noteTimeline, patroni.ignoreSlots(databases));
}

/** After those of a batch are there, where Patroni can keep them and each member's copy can be cleared afterwards. */
export function afterSlots({ source }: Move, batch: readonly string[]): readonly Phase[] {
  if (!keepsOver(source)) return [];
  return [phase("keep", [on(source, patroni.declareSlots(batch))])];
}

/** Writes go on: a failover meanwhile costs no more than time. */
export function afterFailover({ source, target, databases, settings }: Move): readonly Phase[] {
  const { verifyWithinMs: withinMs } = settings;
  if (patroniOf(source) === undefined || withinMs === 0) return [];
  return [
    phase("after-failover", [
      on(source, patroni.showAfterFailover(databases, withinMs)),
      on(target, patroni.verifyAfterFailover(databases, withinMs)),
    ]),
  ];
}

export function beforeFence({ source, settings }: Move): readonly PlanStep[] {
  return where(
    source,
    patroni.pausePatroni(settings.fenceLimitMs),
    patroni.proveLeader,
    patroni.proveTimeline,
  );
}

export function madePermanent({ source }: Move): readonly string[] {
  return patroniOf(source) === undefined ? [] : ["cut-over/fence/pause-patroni"];
}

/** Before the slots go: Patroni would make anew what it is still to keep. */
export function beforeSlotsGo({ source }: Move): readonly PlanStep[] {
  return where(source, patroni.releaseSlots());
}

/** Their copies on the other members, which a paused Patroni does not clear; after it was told not to keep them. */
export function onOthers(
  { source, databases }: Move,
  { of = {}, isKept = keepsOver(source) }: { readonly of?: Of; readonly isKept?: boolean } = {},
): readonly Phase[] {
  if (!isKept) return [];
  const programs = othersOf(source).map((node) =>
    on({ ...source, node }, dropSlots("forward", databases, { of })),
  );
  return [phase("other-members", programs)];
}

export function atLast({ source }: Move): readonly PlanStep[] {
  return where(source, patroni.resumePatroni());
}

/** Of a rollout that is gone back from: by its plan, and not by what Patroni says now. */
export function wayBack(plan: Plan, of: { readonly of: string }) {
  const had = (id: string) => stepsOf(plan).some((step) => step.id === id);
  const isManaged = had("ignore-slots");
  return {
    beforeSlotsGo: isManaged ? [patroni.releaseSlots(of)] : [],
    atLast: isManaged ? [patroni.resumePatroni(of)] : [],
    isKept: had("declare-slots"),
  };
}

function stepsOf(plan: Plan): readonly PlanStep[] {
  return plan.stages.flatMap((stage) =>
    stage.kind === "cluster"
      ? stage.phases.flatMap(({ programs }) => programs.flatMap(({ steps }) => steps))
      : [],
  );
}

/** Patroni keeps logical slots over a failover from 2.1 on, of PostgreSQL 11 and newer; by copies on all its members. */
export function keepsOver(endpoint: Endpoint): boolean {
  const found = patroniOf(endpoint);
  return (
    found !== undefined &&
    whyNotKept(found, endpoint.input.cluster.nodes, Number(endpoint.major)) === undefined
  );
}

/** What a slot would not live over a failover for. */
export function whyNotKept(
  { version, usesSlots, members }: Patroni,
  nodes: readonly unknown[],
  postgresqlMajor: number,
): string | undefined {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (!(major > 2 || (major === 2 && minor >= 1))) return `Patroni ${version} is older than 2.1`;
  if (postgresqlMajor < 11) return `PostgreSQL ${postgresqlMajor} is older than 11`;
  if (!usesSlots) return "use_slots is off";
  if (members.length < 2) return "there is no other member";
  // a copy that no agent can clear would keep WAL there for ever
  if (nodes.length !== members.length)
    return `${members.length} members, and ${nodes.length} of them in the inventory`;
  return undefined;
}
