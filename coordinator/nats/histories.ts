/**
 * What the streams and the object store keep. Their readers check no more than the number and what makes an event an
 * event: a history of thousands is read at each start, and it is handed on as it stands, key by key.
 */
import { z } from "zod";
import { reportFormat } from "#proto/common/report.ts";
import { type AuditEntry, auditFormat } from "../domain/audit.ts";
import { claimFormat } from "../domain/claim.ts";
import { lockFormat } from "../domain/lock.ts";
import { planFormat } from "../domain/plan.ts";
import { eventFormat, type RolloutEvent } from "../domain/rollout/event.ts";
import { type Snapshot, snapshotFormat } from "../domain/snapshot/snapshot.ts";
import type { StoredFormat } from "./stored.ts";

const sequence = z.number().int().positive();

export const rolloutEvents: StoredFormat<RolloutEvent> = {
  format: eventFormat,
  schema: shaped<RolloutEvent>(
    z.object({ rollout: z.string(), sequence, fact: z.object({ kind: z.string() }) }),
  ),
  inside: ({ fact }) => (fact.kind === "rollout-started" ? [{ kept: fact.plan, format: planFormat }] : []),
};

export const auditEntries: StoredFormat<AuditEntry> = {
  format: auditFormat,
  schema: shaped<AuditEntry>(z.object({ sequence, previous: z.string(), hash: z.string() })),
};

export const snapshotDocuments: StoredFormat<Snapshot> = {
  format: snapshotFormat,
  schema: shaped<Snapshot>(
    z.object({ id: z.string(), clusters: z.array(z.object({ nodes: z.array(z.unknown()) })) }),
  ),
  inside: ({ clusters }) =>
    clusters.flatMap(({ nodes, lock, claim }) => [
      ...nodes.flatMap(({ report }) => known(report, reportFormat)),
      ...known(lock, lockFormat),
      ...known(claim, claimFormat),
    ]),
};

function known(measured: object, format: number) {
  return "value" in measured ? [{ kept: measured.value, format }] : [];
}

/** Proves the shape and hands the value on untouched. */
function shaped<T>(shape: z.ZodType): z.ZodType<T> {
  return z.custom<T>((kept) => shape.safeParse(kept).success, "it does not have its shape");
}
