/** The records in the registers: what cannot be read by its schema is a failure, never an absent record. */
import { z } from "zod";
import { type ClaimRecord, claimFormat } from "../domain/claim.ts";
import { type LeaderRecord, leaderFormat } from "../domain/leader.ts";
import { type LockRecord, lockFormat } from "../domain/lock.ts";
import { type NodeStanding, standingFormat } from "../domain/standing.ts";
import { type InventoryRecord, inventoryFormat } from "../engine/orders/inventory-book.ts";
import type { StoredFormat } from "./stored.ts";

const breakNote = z.object({
  reason: z.string(),
  by: z.string(),
  at: z.string(),
  nodes: z.array(z.string()),
});

export const lockRecords: StoredFormat<LockRecord> = {
  format: lockFormat,
  schema: z.object({
    format: z.literal(lockFormat),
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
  }) as z.ZodType<LockRecord>,
};

export const claimRecords: StoredFormat<ClaimRecord> = {
  format: claimFormat,
  schema: z.object({
    format: z.literal(claimFormat),
    rollout: z.string(),
    since: z.string(),
    by: z.string(),
  }),
};

export const leaderRecords: StoredFormat<LeaderRecord> = {
  format: leaderFormat,
  schema: z.object({
    format: z.literal(leaderFormat),
    coordinator: z.string(),
    address: z.string(),
    term: z.number(),
    beat: z.number(),
    since: z.string(),
  }),
};

export const standingRecords: StoredFormat<NodeStanding> = {
  format: standingFormat,
  schema: z.object({
    format: z.literal(standingFormat),
    stateId: z.string(),
    provenAt: z.string(),
    by: z.string(),
  }),
};

export const inventoryRecords: StoredFormat<InventoryRecord> = {
  format: inventoryFormat,
  schema: z.object({
    format: z.literal(inventoryFormat),
    fileName: z.string(),
    yaml: z.string(),
    removed: z.array(z.object({ cluster: z.string(), node: z.string() })),
    kept: z
      .array(z.object({ fileName: z.string(), yaml: z.string(), clusters: z.array(z.string()) }))
      .default([]),
    appliedAt: z.string(),
  }),
};
