/** The coordinator's own file. Everything has a default: an empty file serves on loopback with its own NATS. */
import { z } from "zod";
import { parseDuration } from "#proto/common/duration.ts";
import { isLoopback } from "#proto/common/loopback.ts";
import { readSettings, type SettingsRead } from "#proto/common/settings-file.ts";

const durationMs = z.string().transform((text, context) => {
  const parsed = parseDuration(text);
  if (parsed.ok) return parsed.value;
  context.addIssue({ code: "custom", message: "a duration looks like 90s, 1m30s or 2h" });
  return z.NEVER;
});

const address = z.string().regex(/^[^\s:]+:\d{1,5}$|^\[[0-9A-Fa-f:]+\]:\d{1,5}$/, {
  error: "must be host:port, for example 127.0.0.1:7440",
});

export const configSchema = z
  .strictObject({
    /** host:port for agents and command line. */
    listen: address.default("127.0.0.1:7440"),
    /** As agents and other coordinators reach it; default: listen. */
    advertise: address.optional(),
    /** Unique among the coordinators on one NATS. */
    name: z.string().min(1).optional(),
    stateDir: z.string().startsWith("/", "must be an absolute path").default("/var/lib/lockkeeper"),
    nats: z
      .strictObject({
        /** Empty: a nats-server of the coordinator's own. */
        servers: z.array(z.string()).default([]),
        replicas: z
          .union([z.literal(1), z.literal(3), z.literal(5)], { error: "must be 1, 3 or 5" })
          .optional(),
        /** nats-server to run when no servers are named; default: PATH, else fetched. */
        binary: z.string().optional(),
      })
      .prefault({}),
    snapshots: z
      .strictObject({
        keep: z.number().int().positive().default(500),
        keepFor: durationMs.prefault("365d"),
        every: durationMs.prefault("1h"),
      })
      .prefault({}),
    lease: z
      .strictObject({ length: durationMs.prefault("30s"), beat: durationMs.prefault("5s") })
      .prefault({}),
    /** Folder of the packages; several coordinators share one, so that whoever leads can hand them out. */
    artefacts: z.string().startsWith("/", "must be an absolute path").optional(),
    artefactBytesPerSecond: z
      .number()
      .int()
      .positive()
      .default(50 * 1024 * 1024),
    /** Allows addresses other than loopback, in plain text. */
    insecure: z.boolean().default(false),
    logLevel: z.enum(["debug", "info", "warn", "error"]).default("info"),
  })
  .superRefine(({ listen, insecure, lease }, context) => {
    if (!insecure && !isLoopback(listen)) {
      context.addIssue({
        code: "custom",
        path: ["listen"],
        message: `${listen} is not a loopback address; that needs insecure: true here and at the agents`,
      });
    }
    if (lease.length < lease.beat * 4)
      context.addIssue({
        code: "custom",
        path: ["lease", "beat"],
        message: "the beat is at most a quarter of the lease",
      });
  });

export type CoordinatorConfig = z.infer<typeof configSchema>;

export function readCoordinatorConfig(text: string, file: string): SettingsRead<CoordinatorConfig> {
  return readSettings(text, file, configSchema);
}
