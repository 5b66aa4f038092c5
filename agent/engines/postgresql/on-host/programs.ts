/** The programs of one version: which it is, and where its libraries and extensions lie. */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Host } from "../../../verb.ts";

const lookMs = 5_000;

export interface ProgramVersion {
  readonly version: string;
  readonly major: number;
}

/** Refused: `postgresql.tool-not-run`. */
export async function programVersion(host: Host, bin: string): Promise<Outcome<ProgramVersion>> {
  const look = await host.look([`${bin}/postgres`, "--version"], { deadlineMs: lookMs });
  const found = look.exitCode === 0 ? versionIn(look.stdout) : undefined;
  if (found !== undefined) return succeed(found);
  const cause = look.spawnError ?? (look.stderr.trim().slice(-300) || "it tells no version");
  return fail("postgresql.tool-not-run", { tool: `${bin}/postgres`, cause });
}

/** `postgres (PostgreSQL) 18.1 (Debian …)` → 18.1. */
export function versionIn(text: string): ProgramVersion | undefined {
  const found = /\(PostgreSQL\) (\d+)(\S*)/.exec(text);
  return found === null ? undefined : { version: `${found[1]}${found[2]}`, major: Number(found[1]) };
}

/** Refused: `postgresql.tool-not-run`. */
export async function folderOf(
  host: Host,
  bin: string,
  what: "sharedir" | "pkglibdir",
): Promise<Outcome<string>> {
  const look = await host.look([`${bin}/pg_config`, `--${what}`], { deadlineMs: lookMs });
  const found = look.stdout.trim();
  if (look.exitCode === 0 && found.startsWith("/")) return succeed(found);
  const cause = look.spawnError ?? (look.stderr.trim().slice(-300) || "it tells no folder");
  return fail("postgresql.tool-not-run", { tool: `${bin}/pg_config`, cause });
}
