/** A binary of the database on disk. */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Host } from "../../verb.ts";
import { sha256Of } from "./files.ts";
import type { Program } from "./installation.ts";
import { normal, readVersionOutput } from "./version-text.ts";

const lookMs = 10_000;

/** The binary on disk: what would be started. Refused: `kwdb.binary-missing`, `kwdb.binary-mute`. */
export async function readBinary(host: Host, path: string): Promise<Outcome<Program>> {
  const version = await binaryVersion(host, path);
  return version.ok ? succeed({ version: version.value, sha256: await sha256Of(host.path(path)) }) : version;
}

/** By its own word; `how`: what it needs to be run. Refused: as `readBinary`. */
export async function binaryVersion(
  host: Host,
  path: string,
  how: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Outcome<string>> {
  const look = await host.look([host.path(path), "version"], { deadlineMs: lookMs, ...how });
  if (look.exitCode !== 0) {
    const cause = look.spawnError ?? (look.timedOut ? "it did not answer" : look.stderr.trim().slice(0, 300));
    return fail("kwdb.binary-missing", { path, cause });
  }
  const version = readVersionOutput(look.stdout);
  if (version === undefined) return fail("kwdb.binary-mute", { path });
  return succeed(normal(version));
}
