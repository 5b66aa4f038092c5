/** A binary of the database on disk. */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Host } from "../../verb.ts";
import { sha256Of } from "./files.ts";
import type { Program } from "./installation.ts";
import { normal, readVersionOutput } from "./version-text.ts";

const lookMs = 10_000;

/** The binary on disk: what would be started. Refused: `kwdb.binary-missing`, `kwdb.binary-mute`. */
export async function readBinary(host: Host, path: string): Promise<Outcome<Program>> {
  const look = await host.look([host.path(path), "version"], { deadlineMs: lookMs });
  if (look.exitCode !== 0) {
    const cause = look.spawnError ?? (look.timedOut ? "it did not answer" : look.stderr.trim().slice(0, 300));
    return fail("kwdb.binary-missing", { path, cause });
  }
  const version = readVersionOutput(look.stdout);
  if (version === undefined) return fail("kwdb.binary-mute", { path });
  return succeed({ version: normal(version), sha256: await sha256Of(host.path(path)) });
}
