/**
 * The inventory file's schema: what operators write. It is stricter than it needs to be, so that a
 * misspelt key is an error with a place and not a setting that silently does nothing. The JSON Schema in
 * deploy/schema/ is generated from this file.
 */
import { z } from "zod";
import { parseDuration } from "#proto/common/duration.ts";

const nameSchema = z
  .string()
  .regex(/^[\p{Letter}\p{Number}][\p{Letter}\p{Number}._-]{0,62}$/u, {
    error: "a name is up to 63 letters, digits, '.', '_' or '-', and begins with a letter or digit",
  })
  .describe("Unique name");

const durationMs = z
  .string()
  .refine((text) => parseDuration(text).ok, { error: "a duration looks like 90s, 1m30s or 2h" })
  .describe("A duration such as 30s or 1m30s");

/** Of a window, its last word; none is UTC. */
function isTimeZoneKnown(window: string): boolean {
  const zone = / ([A-Za-z_/+-]+)$/.exec(window)?.[1];
  try {
    return zone === undefined || new Intl.DateTimeFormat("en", { timeZone: zone }) !== undefined;
  } catch {
    return false;
  }
}

const addressSchema = z
  .string()
  .regex(/^[A-Za-z0-9._:[\]-]+$/, {
    error: "an address is a host name or an IP, with :port where it differs",
  })
  .refine((address) => Number(/^[^:]+:(\d+)$/.exec(address)?.[1] ?? 1) < 65_536, {
    error: "a port is a number up to 65535",
  })
  .describe("How peers and clients reach the node: host, or host:port");

const gatesSchema = z
  .strictObject({
    every: durationMs.default("10s").describe("Time between two samples"),
    dwell: durationMs.default("30s").describe("How long the cluster must stay green before the next step"),
    limit: durationMs.default("30m").describe("How long a gate may wait before the rollout stops"),
  })
  .prefault({})
  .describe("How long and how often the gates look");

const settingsSchema = z
  .record(
    z.string(),
    z.union([z.string(), z.number(), z.boolean()], { error: "must be a text, a number, or true or false" }),
  )
  .default({})
  .describe("Settings of the engine's playbook");

const clusterSchema = z.strictObject({
  engine: z.enum(["kwdb", "postgresql"]).describe("The database engine"),
  topology: z.enum(["multi-replica", "single-replica", "standalone"]),
  deployment: z.enum(["script", "container", "compiled"]).default("script"),
  nodes: z
    .record(nameSchema, z.strictObject({ address: addressSchema }))
    .refine((nodes) => Object.keys(nodes).length > 0, { error: "a cluster has at least one node" })
    .describe("Node name to node"),
  gates: gatesSchema,
  settings: settingsSchema,
  windows: z
    .array(
      z
        .string()
        .regex(
          /^((Mon|Tue|Wed|Thu|Fri|Sat|Sun)(-(Mon|Tue|Wed|Thu|Fri|Sat|Sun))? )?\d\d:\d\d-\d\d:\d\d( [A-Za-z_/+-]+)?$/,
          {
            error: 'a window looks like "Mon-Fri 22:00-05:00 Asia/Shanghai"',
          },
        )
        .refine(isTimeZoneKnown, { error: "there is no such time zone: it would never be open" }),
    )
    .default([])
    .describe("When a node may be started; none: always"),
  freeze: z.string().min(1).optional().describe("Set: no node is started. Say why."),
});

const clustersSchema = z
  .record(nameSchema, clusterSchema)
  .refine((clusters) => Object.keys(clusters).length > 0, {
    error: "an inventory names at least one cluster",
  })
  .superRefine((clusters, { addIssue }) => {
    for (const { path, message } of sharedNodes(clusters))
      addIssue({ code: "custom", path: [...path], message });
  });

/** An agent serves one node of one cluster: a node's name or address may stand only once in the fleet. */
function sharedNodes(clusters: Readonly<Record<string, z.infer<typeof clusterSchema>>>) {
  const seen = new Map<string, string>();
  const nodes = Object.entries(clusters).flatMap(([cluster, each]) =>
    Object.entries(each.nodes).flatMap(([node, { address }]) => [
      { cluster, node, what: `node "${node}"` },
      { cluster, node, what: `address "${address}"` },
    ]),
  );
  return nodes.flatMap(({ cluster, node, what }) => {
    const earlier = seen.get(what);
    if (earlier === undefined) seen.set(what, cluster);
    return earlier === undefined
      ? []
      : [{ path: [cluster, "nodes", node], message: `${what} is already in cluster "${earlier}"` }];
  });
}

export const inventorySchema = z.strictObject({
  format: z.literal(1).default(1),
  clusters: clustersSchema,
});

export type InventoryDocument = z.infer<typeof inventorySchema>;
