/**
 * What becomes of the old server: stopped and masked with the last work of the move, where its agent may do that; kept for some days;
 * and its data removed when a person says so, where the cluster's settings ask for it.
 */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import { known } from "#proto/common/measured.ts";
import type { Phase, Stage } from "../../domain/plan.ts";
import { fullOf, serverOf } from "./facts.ts";
import { gate, type Move, on, phase } from "./move.ts";
import { hour } from "./step.ts";
import * as steps from "./steps.ts";

const answerMs = 90 * 24 * hour;

interface Allowed {
  readonly unit: string;
  readonly data: string | null;
}

/** What the agent's own file names; undefined where it names no unit, or another tool manages the server. */
function allowedOn({ source }: Move): Allowed | undefined {
  return known(fullOf(source.input.reports[source.node])?.oldServer) ?? undefined;
}

/** Refused: `postgresql.old-data-not-named`, `postgresql.old-data-elsewhere`. */
export function mayRemove(move: Move): Outcome<undefined> {
  const { settings, source } = move;
  if (settings.oldData === "keep") return succeed(undefined);
  const { node } = source;
  const data = allowedOn(move)?.data;
  if (data === undefined || data === null) return fail("postgresql.old-data-not-named", { node });
  // an empty folder of another name would pass for one that was emptied
  const found = serverOf(source.input.reports[node])?.dataDirectory ?? "unknown";
  return found === data
    ? succeed(undefined)
    : fail("postgresql.old-data-elsewhere", { node, named: data, found });
}

export function putAway(move: Move): readonly Phase[] {
  const allowed = allowedOn(move);
  return allowed === undefined ? [] : [phase("put-away", [on(move.source, steps.putAway(allowed.unit))])];
}

export function removal(move: Move): readonly Stage[] {
  const { source, target, settings } = move;
  const data = allowedOn(move)?.data ?? undefined;
  if (settings.oldData === "keep" || data === undefined) return [];
  const serves = gate("serves", target, {});
  return [
    {
      kind: "wait",
      id: "keep-old",
      gates: [serves],
      watches: [],
      approval: { question: "ask.postgresql.remove-the-old", mayAnswer: "data-owner" },
      notBeforeMs: settings.keepOldMs,
      limitMs: settings.keepOldMs + answerMs,
    },
    {
      kind: "cluster",
      id: "remove-old",
      clusters: [source.input.cluster.name],
      before: [serves],
      phases: [phase("remove", [on(source, steps.removePutAway(source.systemId, data))])],
      waysOnFailure: ["way.postgresql.again"],
    },
  ];
}
