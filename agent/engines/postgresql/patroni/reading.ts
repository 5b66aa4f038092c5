/** Patroni's answers as it gives them: pure parsers of its file, of `patronictl list -f json` and of `show-config`. */
import { z } from "zod";
import type { Patroni, PatroniMember } from "#proto/engines/postgresql-patroni.ts";

export interface OwnFile {
  readonly scope: string;
  readonly name: string | undefined;
  /** It lists lines of pg_hba.conf, or lets the dynamic configuration do so. */
  readonly hba: boolean;
  /** Where the server reads another file, Patroni writes none. */
  readonly hbaFile: boolean;
}

const lines = z.array(z.unknown()).optional().catch(undefined);
const parameters = z.record(z.string(), z.unknown()).optional().catch(undefined);
const postgresql = z
  .object({ pg_hba: lines, parameters, use_slots: z.unknown().optional() })
  .partial()
  .optional()
  .nullable()
  .catch(undefined);

const fileSchema = z.object({
  scope: z.coerce.string(),
  name: z.coerce.string().optional(),
  postgresql,
});

const configurationSchema = z.looseObject({
  pause: z.unknown().optional(),
  standby_cluster: z.unknown().optional(),
  postgresql,
});

/** What a parser has not understood, in one line. */
export function whyUnread(error: unknown): string {
  if (error instanceof z.ZodError)
    return error.issues
      .map(({ path, message }) => `${path.join(".")}: ${message}`)
      .join("; ")
      .slice(0, 300);
  return error instanceof Error ? error.message.slice(0, 300) : String(error);
}

/** Throws where it is no Patroni file. */
export function readOwnFile(parsed: unknown): OwnFile {
  const { scope, name, postgresql: own } = fileSchema.parse(parsed);
  return {
    scope,
    name,
    hba: (own?.pg_hba ?? []).length > 0,
    hbaFile: own?.parameters?.["hba_file"] !== undefined,
  };
}

const rowSchema = z.object({
  Member: z.string(),
  Host: z.coerce.string().default(""),
  Role: z.string(),
  State: z.string(),
  TL: z.union([z.number(), z.string()]).optional(),
  "Pending restart": z.string().optional(),
});

/** Throws where it is no list of members. */
export function readMembers(text: string): readonly PatroniMember[] {
  return z
    .array(rowSchema)
    .parse(JSON.parse(text))
    .map(({ Member: name, Host: host, Role: role, State: state, TL, ...row }) => ({
      name,
      host,
      role: role.toLowerCase(),
      state,
      timeline: typeof TL === "number" ? TL : TL === undefined || TL === "" ? null : Number(TL),
      isPendingRestart: (row["Pending restart"] ?? "") !== "",
    }));
}

/** patronictl version 3.0.2 */
export function readVersion(text: string): string | undefined {
  return /version (\d+(?:\.\d+)+)/.exec(text)?.[1];
}

type OfConfiguration = Pick<Patroni, "isPaused" | "isStandbyCluster" | "usesSlots" | "parameters"> & {
  readonly hba: boolean;
  readonly hbaFile: boolean;
};

/** Throws where it is no configuration. */
export function readConfiguration(parsed: unknown): OfConfiguration {
  const { pause, standby_cluster: standby, postgresql: own } = configurationSchema.parse(parsed ?? {});
  const told = Object.entries(own?.parameters ?? {}).map(([name, value]) => [name, String(value)]);
  return {
    isPaused: pause === true,
    isStandbyCluster: standby !== undefined && standby !== null,
    usesSlots: own?.use_slots !== false,
    parameters: Object.fromEntries(told) as Record<string, string>,
    hba: (own?.pg_hba ?? []).length > 0,
    hbaFile: own?.parameters?.["hba_file"] !== undefined,
  };
}
