/** The waits of a move, in which days may pass and no lock is held: for the rows, for a person, for the owner of the data. */
import type { WaitStage } from "../../domain/plan.ts";
import { mendedBy } from "./mending.ts";
import { gate, list, type Move, newServerReady } from "./move.ts";
import { hour, minute } from "./step.ts";
import { backOf, fenceWatch, forwardOf, identityWatch, roomWatch, slotWatch } from "./watches.ts";

const day = 24 * hour;
const readyLimitMs = 30 * day;

/** `batch`: the databases that were begun last; all of `wanted` must be there. */
export function copied(
  move: Move,
  {
    number,
    batch,
    wanted,
  }: { readonly number: number; readonly batch: readonly string[]; readonly wanted: readonly string[] },
): WaitStage {
  const { copyLimitMs: limitMs, giveUpAtPercent } = move.settings;
  return {
    kind: "wait",
    id: `copy-${number}`,
    gates: [gate("copied", move.target, { databases: list(wanted) }, { limitMs })],
    // also while a lock is held, for indexes and comparisons take hours; and over the cut-over, for one that comes to nothing
    // leaves slots that nobody reads until somebody is awake
    watches: [
      ...(number === 1 ? [roomWatch("wal-room", forwardOf(move), giveUpAtPercent)] : []),
      slotWatch(`slots-${number}`, forwardOf(move), batch),
    ].map((watch) => ({ ...watch, until: "opened" })),
    limitMs,
    ...mendedBy(move),
  };
}

export function ready(move: Move): WaitStage {
  const { source, target, databases, settings } = move;
  return {
    kind: "wait",
    id: "ready",
    gates: [
      // first: what stands in it may take days, and the rows are looked at after it
      newServerReady(move, { limitMs: readyLimitMs }),
      gate("copied", target, { databases: list(databases) }),
      gate("caught-up", source, { maxLagBytes: String(settings.cutOverLagBytes) }),
    ],
    watches: [],
    approval: { question: "ask.postgresql.cut-over-now", mayAnswer: "operator" },
    limitMs: readyLimitMs,
    ...mendedBy(move),
  };
}

/** Whoever watched the old server while it was read from goes home. */
export function opened(move: Move): WaitStage {
  const { source, target, databases } = move;
  const soon = { everyMs: 500, dwellMs: 0, limitMs: 5 * minute };
  return {
    kind: "wait",
    id: "opened",
    gates: [gate("opened", target, { databases: list(databases) }, soon), gate("fenced", source, {}, soon)],
    watches: [],
    limitMs: hour,
  };
}

export function soak(move: Move): WaitStage {
  const { source, target, databases, settings } = move;
  return {
    kind: "wait",
    id: "soak",
    gates: [
      gate("fenced", source, {}),
      gate("following", source, { databases: list(databases) }),
      gate("serves", target, {}),
    ],
    // where the new server's disk gets full, the way back is given up, and not the server
    watches: [
      roomWatch("wal-room-back", backOf(move), settings.giveUpAtPercent),
      slotWatch("slots-back", backOf(move), databases),
      fenceWatch(move),
      ...(move.mover.publishesAll ? [identityWatch("identities-back", target, databases)] : []),
    ],
    approval: { question: "ask.postgresql.let-the-old-go", mayAnswer: "data-owner" },
    limitMs: 90 * day,
  };
}
