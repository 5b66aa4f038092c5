/**
 * The node report: what an agent says of its host and its engine. It is stored in snapshots as it
 * travels, so it has one schema and a format number; an older format is read for ever.
 */
import { z } from "zod";
import { measured } from "./measured.ts";

export const reportFormat = 1;

export const fileSystemSchema = z.object({
  /** The folder that matters (data root, package folder, agent state …), not only its mount. */
  path: z.string(),
  mount: z.string(),
  sizeBytes: z.number(),
  availableBytes: z.number(),
  inodes: z.number(),
  inodesAvailable: z.number(),
});
export type FileSystem = z.infer<typeof fileSystemSchema>;

export const hostFactsSchema = z.object({
  os: measured(z.string()),
  kernel: measured(z.string()),
  bootId: measured(z.string()),
  /** What the host's own time service says; the coordinator adds the offset that it sees. */
  clockSynchronised: measured(z.boolean()),
  load: measured(z.tuple([z.number(), z.number(), z.number()])),
  memory: measured(z.object({ totalBytes: z.number(), availableBytes: z.number() })),
  fileSystems: measured(z.array(fileSystemSchema)),
  agentVersion: z.string(),
});
export type HostFacts = z.infer<typeof hostFactsSchema>;

export const reportSchema = z.object({
  format: z.literal(reportFormat),
  node: z.string(),
  /** ISO 8601, the host's clock, before anything was measured. */
  takenAt: z.string(),
  /** The same clock when all was measured; older agents do not tell it. */
  doneAt: z.string().optional(),
  depth: z.enum(["pulse", "gate", "full"]),
  engine: z.string(),
  host: hostFactsSchema,
  /** The engine's own facts; their schema stands in proto/engines/<engine>.ts. */
  facts: z.unknown(),
});
export type NodeReport = z.infer<typeof reportSchema>;
