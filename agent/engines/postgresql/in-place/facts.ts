/** What the agent's file allows of an upgrade in place, as it stands on this host: asked before a plan, changes nothing. */
import { readlink, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { type Outcome, succeed } from "#proto/common/failure.ts";
import type { PgInPlace } from "#proto/engines/postgresql.ts";
import type { Host } from "../../../verb.ts";
import { must } from "../desk.ts";
import { contentOf, endingsIn, standingFolder } from "../on-host/folders.ts";
import { folderOf, programVersion } from "../on-host/programs.ts";
import { readUnit } from "../on-host/unit.ts";
import type { Means } from "../settings.ts";
import type { Place, PlacedServer } from "./place.ts";

const lookMs = 10_000;

/** Refused: `postgresql.tool-not-run`, `postgresql.unit-unknown`. Throws FailureError. */
export async function readInPlace(host: Host, means: Means, place: Place): Promise<Outcome<PgInPlace>> {
  const { old, new: young } = place;
  const [version, newVersion] = [
    must(await programVersion(host, old.bin)),
    must(await programVersion(host, young.bin)),
  ];
  const above = await standingFolder(host, young.data);
  const { bavail, bsize } = await statfs(above);
  const [oldStat, newStat] = [await stat(host.path(old.data)), await stat(above)];
  return succeed({
    version: version.version,
    newVersion: newVersion.version,
    newMajor: newVersion.major,
    data: old.data,
    newData: young.data,
    unit: await unitOf(host, old),
    newUnit: await unitOf(host, young),
    taken: await takenIn(host, young),
    availableBytes: bavail * bsize,
    isOneFileSystem: oldStat.dev === newStat.dev,
    walFolder: await readlink(host.path(join(old.data, "pg_wal"))).catch(() => null),
    whyAccountNotIn: await whyNotIn(host, means, place),
    extensions: await endingsIn(
      host,
      join(must(await folderOf(host, young.bin, "sharedir")), "extension"),
      ".control",
    ),
    libraries: await endingsIn(host, must(await folderOf(host, young.bin, "pkglibdir")), ".so"),
  });
}

async function unitOf(host: Host, { unit }: PlacedServer): Promise<PgInPlace["unit"]> {
  const { load, active } = must(await readUnit(host, unit));
  return { name: unit, load, active };
}

async function takenIn(host: Host, { data, config }: PlacedServer): Promise<string[]> {
  const taken: string[] = [];
  for (const folder of new Set([data, config]))
    if ((await contentOf({ host }, folder)) > 0) taken.push(folder);
  return taken;
}

/** pg_upgrade asks the old server as that account, over its socket; null: it gets in. */
async function whyNotIn(host: Host, { settings }: Means, { account }: Place): Promise<string | null> {
  const words = ["-XAtwq", "-h", settings.host, "-p", String(settings.port), "-U", settings.user];
  const argv = [join(settings.tools, "psql"), ...words, "-d", settings.maintenanceDatabase, "-c", "SELECT 1"];
  const look = await host.look(argv as [string, ...string[]], {
    deadlineMs: lookMs,
    user: account,
    cwd: "/",
  });
  if (look.exitCode === 0 && look.stdout.trim() === "1") return null;
  return (look.spawnError ?? look.stderr.trim().slice(-300)) || "psql gave no answer";
}
