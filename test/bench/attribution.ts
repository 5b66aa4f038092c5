/**
 * Where a rollout's time went, from its event log alone. Each stretch between two events belongs to one of:
 * tools (what the steps took on the node), dwell and sampling (policy: gates, the look before a grant,
 * snapshots), and the rest, which is the orchestrator's own.
 */
import type { RolloutEvent } from "#coordinator/domain/rollout/event.ts";

export interface NodeTimes {
  readonly node: string;
  readonly totalMs: number;
  readonly toolsMs: number;
  readonly dwellMs: number;
  /** Gates and the look before the grant: asking every node of the cluster. */
  readonly samplingMs: number;
  readonly snapshotsMs: number;
  /** What is left: deciding, locking, sending, journalling. */
  readonly ownMs: number;
  readonly steps: number;
}

export interface HandOver {
  readonly from: string;
  readonly to: string;
  /** Own time between the last green sample of one node and the program sent to the next. */
  readonly ownMs: number;
  /** The same stretch by the clock, policy included. */
  readonly wholeMs: number;
}

const stepEnds: ReadonlySet<string> = new Set(["done", "found-done", "failed", "unknown", "undone"]);

type Share = "tools" | "dwell" | "sampling" | "snapshots" | "own";
interface Piece {
  readonly share: Share;
  readonly ms: number;
}

/** One entry per node stage, in order; from its first event to its last. */
export function timesOf(events: readonly RolloutEvent[]): readonly NodeTimes[] {
  return nodeStages(events).map((stage) => {
    const own = piecesOf(events.slice(stage.first, stage.last + 1));
    const sum = (share: Share) =>
      own.filter((each) => each.share === share).reduce((all, { ms }) => all + ms, 0);
    return {
      node: stage.node,
      totalMs: atMs(events[stage.last]) - atMs(events[stage.first]),
      toolsMs: sum("tools"),
      dwellMs: sum("dwell"),
      samplingMs: sum("sampling"),
      snapshotsMs: sum("snapshots"),
      ownMs: sum("own"),
      steps: events
        .slice(stage.first, stage.last + 1)
        .filter(({ fact }) => fact.kind === "step" && stepEnds.has(fact.phase)).length,
    };
  });
}

export function handOversOf(events: readonly RolloutEvent[]): readonly HandOver[] {
  const stages = nodeStages(events);
  return stages.slice(1).flatMap((next, index) => {
    const before = stages[index];
    if (before === undefined) return [];
    const green = events.findLastIndex(
      ({ fact }, place) => place <= before.last && fact.kind === "gate-passed" && fact.when === "after",
    );
    const sent = events.findIndex(({ fact }, place) => place >= next.first && fact.kind === "program-sent");
    const gate = events[green]?.fact;
    if (gate?.kind !== "gate-passed" || sent === -1) return [];
    const sampledMs = Date.parse(gate.lastSampleAt);
    const pieces = piecesOf(events.slice(green, sent + 1)).filter(({ share }) => share === "own");
    const ownMs = atMs(events[green]) - sampledMs + pieces.reduce((sum, { ms }) => sum + ms, 0);
    return [{ from: before.node, to: next.node, ownMs, wholeMs: atMs(events[sent]) - sampledMs }];
  });
}

interface StagePlace {
  readonly node: string;
  readonly first: number;
  readonly last: number;
}

function nodeStages(events: readonly RolloutEvent[]): readonly StagePlace[] {
  const begun = events[0]?.fact;
  if (begun?.kind !== "rollout-started") return [];
  return begun.plan.stages.flatMap((stage) => {
    if (stage.kind !== "node") return [];
    const first = events.findIndex(({ fact }) => fact.kind === "stage-started" && fact.stage === stage.id);
    const last = events.findLastIndex(({ fact }) => fact.kind === "stage-passed" && fact.stage === stage.id);
    return first === -1 || last === -1 ? [] : [{ node: stage.node, first, last }];
  });
}

function piecesOf(events: readonly RolloutEvent[]): readonly Piece[] {
  let fromMs = atMs(events[0]);
  return events.slice(1).flatMap((event) => {
    // a step's own measure covers the whole way from the end of the step before
    if (event.fact.kind === "step" && !stepEnds.has(event.fact.phase)) return [];
    const ms = Math.max(0, atMs(event) - fromMs);
    fromMs = atMs(event);
    return split(event, ms);
  });
}

function split({ fact, at }: RolloutEvent, ms: number): readonly Piece[] {
  if (fact.kind === "step") {
    const tools = Math.min(ms, fact.elapsedMs);
    return [piece("tools", tools), piece("own", ms - tools)];
  }
  if (fact.kind === "gate-passed") {
    const own = Math.min(ms, Math.max(0, Date.parse(at) - Date.parse(fact.lastSampleAt)));
    const dwell = Math.min(ms - own, fact.dwellMs);
    return [piece("own", own), piece("dwell", dwell), piece("sampling", ms - own - dwell)];
  }
  if (fact.kind === "snapshot-taken") return [piece("snapshots", ms)];
  const isSample = fact.kind === "gate-waited" || fact.kind === "checks-judged";
  return [piece(isSample ? "sampling" : "own", ms)];
}

function piece(share: Share, ms: number): Piece {
  return { share, ms };
}

function atMs(event: RolloutEvent | undefined): number {
  return event === undefined ? Number.NaN : Date.parse(event.at);
}
