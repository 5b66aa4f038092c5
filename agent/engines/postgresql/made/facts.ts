/** What the agent's file allows to be made here, as it stands on this host: asked before a plan, changes nothing. */
import { readFile, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { type Failure, fail, failure, type Outcome, succeed } from "#proto/common/failure.ts";
import type { PgMade } from "#proto/engines/postgresql-made.ts";
import type { PgPackages } from "#proto/engines/postgresql-packages.ts";
import type { Host } from "../../../verb.ts";
import { must } from "../desk.ts";
import { contentOf, endingsIn, standingFolder } from "../on-host/folders.ts";
import { folderOf, type ProgramVersion, programVersion } from "../on-host/programs.ts";
import { readUnit } from "../on-host/unit.ts";
import { majorOfServer } from "../packages/clusters.ts";
import type { Means } from "../settings.ts";
import { foldersOf, placeIn, placeOf, readAccount } from "./place.ts";

const lookMs = 5_000;

/**
 * `packages`: those that may be installed, where the agent's file names any. Refused: `postgresql.tool-not-run`,
 * `postgresql.unit-unknown`, `postgresql.account-unknown`, `postgresql.locales-not-listed`. Throws FailureError.
 */
export async function madeFacts(
  host: Host,
  means: Means,
  packages: PgPackages | undefined,
): Promise<Outcome<PgMade>> {
  const place = placeOf(means);
  const { unit, bin, data, config, account, listen, tablespaces } = place;
  const found = await programVersion(host, bin);
  const toCome = found.ok ? undefined : serverToCome(packages, bin);
  const { version, major } = toCome ?? must(found);
  const isToCome = toCome !== undefined;
  // the account comes along
  if (!isToCome) must(await readAccount(host, account));
  const { load, active } = must(await readUnit(host, unit));
  const { bavail, bsize } = await statfs(await standingFolder(host, data));
  const taken: string[] = [];
  for (const folder of foldersOf(place)) if ((await contentOf({ host }, folder)) > 0) taken.push(folder);
  return succeed({
    isToCome,
    version,
    major,
    data,
    config,
    unit: { name: unit, load, active },
    whyNoSocket: await whyNoSocket(host, means),
    port: means.settings.port,
    portTakenBy: await portTakenBy(host, means),
    listen: listen ?? null,
    tablespaces: { ...tablespaces },
    taken,
    availableBytes: bavail * bsize,
    locales: must(await localesOn(host)),
    ...(isToCome ? { extensions: [], libraries: [] } : await broughtBy(host, bin)),
  });
}

/** What the programs of a folder have: extensions and libraries. Throws FailureError. */
export async function broughtBy(host: Host, bin: string) {
  const extensions = join(must(await folderOf(host, bin, "sharedir")), "extension");
  return {
    extensions: await endingsIn(host, extensions, ".control"),
    libraries: await endingsIn(host, must(await folderOf(host, bin, "pkglibdir")), ".so"),
  };
}

/** The server among the packages, where it is the one whose programs go into this folder. */
function serverToCome(packages: PgPackages | undefined, bin: string): ProgramVersion | undefined {
  for (const { name, version } of packages?.adds ?? []) {
    const major = majorOfServer(name);
    // 18.1-1.pgdg12+1, 1:18.1-1
    const upstream = /^(?:\d+:)?([^-+~]+)/.exec(version)?.[1];
    if (major !== undefined && upstream !== undefined && bin === `/usr/lib/postgresql/${major}/bin`)
      return { version: upstream, major: Number(major) };
  }
  return undefined;
}

/** Why nothing answers, where that is because nothing was made yet: `postgresql.not-made-yet`. */
export async function notMadeYet(host: Host, means: Means): Promise<Failure | undefined> {
  const place = placeIn(means);
  if (place === undefined) return undefined;
  const count = await contentOf({ host }, place.data).catch(() => 1);
  return count > 0 ? undefined : failure("postgresql.not-made-yet", { data: place.data });
}

async function whyNoSocket(host: Host, { settings }: Means): Promise<string | null> {
  const { host: folder } = settings;
  if (!folder.startsWith("/")) return `host is ${folder}, and no folder of sockets`;
  const found = await stat(host.path(folder)).catch(() => undefined);
  return found?.isDirectory() === true ? null : `${folder} is no folder on this host`;
}

/** As the kernel lists what listens: by whatever account, on whatever address. */
async function portTakenBy(host: Host, { settings }: Means): Promise<string | null> {
  const { host: folder, port } = settings;
  const socket = `${folder}/.s.PGSQL.${port}`;
  const sockets = await readFile(host.path("/proc/net/unix"), "utf8");
  // no file of IPv6 where the kernel has none
  const listed = [
    await readFile(host.path("/proc/net/tcp"), "utf8"),
    await readFile(host.path("/proc/net/tcp6"), "utf8").catch(() => ""),
  ];
  if (sockets.split("\n").some((line) => line.endsWith(` ${socket}`))) return socket;
  const isTaken = listed.some((text) => listenersIn(text).includes(port));
  return isTaken ? `port ${port}` : null;
}

const listening = "0A";

/** `  0: 0100007F:1538 00000000:0000 0A …` */
export function listenersIn(text: string): readonly number[] {
  return text.split("\n").flatMap((line) => {
    const [, local = "", , state] = line.trim().split(/\s+/);
    const port = /:([0-9A-F]{4})$/.exec(local)?.[1];
    return state === listening && port !== undefined ? [Number.parseInt(port, 16)] : [];
  });
}

async function localesOn(host: Host): Promise<Outcome<string[]>> {
  const look = await host.look(["locale", "-a"], { deadlineMs: lookMs });
  const found = look.stdout.split("\n").filter((line) => line !== "");
  if (look.exitCode === 0 && found.length > 0) return succeed(found);
  return fail("postgresql.locales-not-listed", {
    cause: look.spawnError ?? (look.stderr.trim().slice(-200) || "locale -a lists none"),
  });
}
