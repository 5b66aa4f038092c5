/**
 * The agent's own file. What it names is all that this agent serves: units, users and folders stand in the
 * engine's section, and no message can widen it.
 */
import { z } from "zod";
import { isLoopback, splitAddress } from "#proto/common/loopback.ts";
import { readSettings, type SettingsRead } from "#proto/common/settings-file.ts";
import type { EngineKind } from "./verb.ts";

const absolute = z.string().startsWith("/", "must be an absolute path");

const address = z
  .string()
  .refine((text) => splitAddress(text) !== undefined, "must be host:port, for example 127.0.0.1:7440");

export function configSchema(kinds: readonly EngineKind[]) {
  const engine = z.discriminatedUnion(
    "kind",
    kinds.map(({ engine: kind, settings }) => z.strictObject({ kind: z.literal(kind), settings })) as [
      z.ZodObject<{ kind: z.ZodLiteral<string>; settings: z.ZodType }>,
      ...z.ZodObject<{ kind: z.ZodLiteral<string>; settings: z.ZodType }>[],
    ],
    { error: `must be one of ${kinds.map(({ engine: kind }) => kind).join(", ")}` },
  );
  return z
    .strictObject({
      /** As in the cluster's inventory. */
      node: z
        .string()
        .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, "must be a plain name, at most 63 characters"),
      coordinators: z.array(address).min(1, "must name at least one coordinator"),
      stateDir: absolute,
      engine,
      /** Where the host's paths begin; anything but / is a demo host in a folder. */
      hostRoot: absolute.default("/"),
      /** Folders put before PATH of everything that the agent starts. */
      path: z.array(absolute).default([]),
      runner: z.enum(["auto", "unit", "group"]).default("auto"),
      /** Allows addresses other than loopback, in plain text. */
      insecure: z.boolean().default(false),
      artefactBytesPerSecond: z
        .number()
        .int()
        .positive()
        .default(50 * 1024 * 1024),
      logLevel: z.enum(["debug", "info", "warn", "error"]).default("info"),
    })
    .superRefine(({ coordinators, insecure }, context) => {
      if (insecure) return;
      for (const [i, coordinator] of coordinators.entries()) {
        if (isLoopback(coordinator)) continue;
        const message = `${coordinator} is not a loopback address; that needs insecure: true here and at the coordinator`;
        context.addIssue({ code: "custom", path: ["coordinators", i], message });
      }
    });
}

export type AgentConfig = z.infer<ReturnType<typeof configSchema>>;

export function readConfig(
  text: string,
  file: string,
  kinds: readonly EngineKind[],
): SettingsRead<AgentConfig> {
  return readSettings(text, file, configSchema(kinds));
}

/** False for a leader that is named by a message and that this agent's file does not allow to dial. */
export function mayDial(config: AgentConfig, to: string): boolean {
  return splitAddress(to) !== undefined && (config.insecure || isLoopback(to));
}
