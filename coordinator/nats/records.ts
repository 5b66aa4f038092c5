/** Schemas of the records in the registers: what cannot be read by them is a failure, never an absent record. */
import { z } from "zod";
import type { ClaimRecord } from "../domain/claim.ts";
import type { LeaderRecord } from "../domain/leader.ts";
import type { LockRecord } from "../domain/lock.ts";
import type { NodeStanding } from "../domain/standing.ts";
import type { InventoryRecord } from "../engine/inventory-book.ts";

const breakNote = z.object({
  reason: z.string(),
  by: z.string(),
  at: z.string(),
  nodes: z.array(z.string()),
});

export const lockSchema: z.ZodType<LockRecord> = z.object({
  format: z.literal(1),
  epoch: z.number().int().nonnegative(),
  state: z.enum(["free", "granted", "entered"]),
  scope: z.enum(["node", "cluster"]),
  nodes: z.array(z.string()),
  entered: z.array(z.string()),
  rollout: z.string(),
  stage: z.string(),
  nonce: z.string(),
  since: z.string(),
  by: z.string(),
  broken: breakNote.optional(),
}) as z.ZodType<LockRecord>;

export const claimSchema: z.ZodType<ClaimRecord> = z.object({
  format: z.literal(1),
  rollout: z.string(),
  since: z.string(),
  by: z.string(),
});

export const leaderSchema: z.ZodType<LeaderRecord> = z.object({
  format: z.literal(1),
  coordinator: z.string(),
  address: z.string(),
  term: z.number(),
  beat: z.number(),
  since: z.string(),
});

export const standingSchema: z.ZodType<NodeStanding> = z.object({
  format: z.literal(1),
  stateId: z.string(),
  provenAt: z.string(),
  by: z.string(),
});

export const inventorySchema: z.ZodType<InventoryRecord> = z.object({
  format: z.literal(1),
  fileName: z.string(),
  yaml: z.string(),
  removed: z.array(z.object({ cluster: z.string(), node: z.string() })),
  kept: z
    .array(z.object({ fileName: z.string(), yaml: z.string(), clusters: z.array(z.string()) }))
    .default([]),
  appliedAt: z.string(),
});
