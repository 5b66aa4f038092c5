/** Which version the client tools are that this agent was given. */
import path from "node:path";
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Host } from "../../verb.ts";
import type { Means } from "./settings.ts";

const versionMs = 5_000;
const tools = ["pg_dump", "pg_dumpall", "psql"] as const;

/** The major version of the oldest of them. Refused: `postgresql.tool-not-run`. */
export async function toolsMajor(host: Host, { settings }: Means): Promise<Outcome<number>> {
  let oldest = Number.POSITIVE_INFINITY;
  for (const tool of tools) {
    const program = host.path(path.join(settings.tools, tool));
    const look = await host.look([program, "--version"], { deadlineMs: versionMs });
    const major = /\(PostgreSQL\) (\d+)/.exec(look.stdout)?.[1];
    if (look.exitCode !== 0 || major === undefined) {
      const cause = look.spawnError ?? (look.stderr.slice(-200) || look.stdout.slice(-200));
      return fail("postgresql.tool-not-run", { tool: path.join(settings.tools, tool), cause });
    }
    oldest = Math.min(oldest, Number(major));
  }
  return succeed(oldest);
}
