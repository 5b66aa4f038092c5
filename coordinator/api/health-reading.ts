/** What a Health message tells: the report in it, and by its round trip how far that node's clock is off. */
import type { Clock } from "#proto/common/clock.ts";
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import { unknownFormat } from "#proto/common/format.ts";
import { type NodeReport, reportFormat, reportSchema } from "#proto/common/report.ts";
import type { Health } from "#proto/gen/lockkeeper/v1/health_pb.ts";

/** Offset of a node's clock against ours, from the newest round trip. */
export interface ClockOffset {
  readonly offsetMs: number;
  readonly errorMs: number;
  /** Monotonic moment of the estimate. */
  readonly atMs: number;
}

const offsetKeepMs = 5 * 60_000;

export interface Asked {
  /** Monotonic and wall time of the question. */
  readonly askedMs: number;
  readonly askedAt: number;
}

/** Refused: `node.report-format-unknown`, `node.report-unreadable`. */
export function readReport({ reportJson }: Health, node: string): Outcome<NodeReport> {
  try {
    const told: unknown = JSON.parse(reportJson.toString("utf8"));
    const unknown = unknownFormat(told, reportFormat);
    if (unknown !== undefined) return fail("node.report-format-unknown", { node, ...unknown });
    const parsed = reportSchema.safeParse(told);
    if (parsed.success && parsed.data.node === node) return succeed(parsed.data);
    return fail("node.report-unreadable", {
      node,
      cause: parsed.success ? `it names ${parsed.data.node}` : (parsed.error.issues[0]?.message ?? ""),
    });
  } catch (error) {
    return fail("node.report-unreadable", { node, cause: String(error) });
  }
}

/** A quick round trip tells more than a slow one; an old one is forgotten, because clocks drift. */
export function better(before: ClockOffset | undefined, now: ClockOffset): ClockOffset {
  const isOld = before === undefined || now.atMs - before.atMs > offsetKeepMs;
  return isOld || now.errorMs <= before.errorMs ? now : before;
}

/** The node had the question from takenAt to doneAt; what is left of the round trip was the way there and back. */
export function offsetOf(report: NodeReport, { askedMs, askedAt }: Asked, clock: Clock): ClockOffset {
  const roundTripMs = clock.monotonicMs() - askedMs;
  const takenMs = Date.parse(report.takenAt);
  const doneMs = Date.parse(report.doneAt ?? report.takenAt);
  return {
    offsetMs: Math.round((takenMs + doneMs) / 2 - (askedAt + roundTripMs / 2)),
    errorMs: Math.max(1, Math.ceil((roundTripMs - (doneMs - takenMs)) / 2)),
    atMs: clock.monotonicMs(),
  };
}
