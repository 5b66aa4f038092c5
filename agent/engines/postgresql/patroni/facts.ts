/** The Patroni of this host as part of the facts: its members, what it is told for all of them, and what it writes itself. */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Patroni } from "#proto/engines/postgresql-patroni.ts";
import type { Host } from "../../../verb.ts";
import type { Means } from "../settings.ts";
import { configurationNow, lookWith, ownFile, type PatroniSettings } from "./patronictl.ts";
import { readConfiguration, readMembers, readVersion, whyUnread } from "./reading.ts";

/** Null where the agent's file names none. Refused: `postgresql.patroni-file`, `postgresql.patronictl-failed`. */
export async function patroniFacts(host: Host, { settings }: Means): Promise<Outcome<Patroni | null>> {
  const { patroni } = settings;
  return patroni === undefined ? succeed(null) : readPatroni(host, patroni);
}

export async function readPatroni(host: Host, settings: PatroniSettings): Promise<Outcome<Patroni>> {
  const own = await ownFile(host, settings);
  if (!own.ok) return own;
  const [listed, version, parsed] = await Promise.all([
    lookWith(host, settings, "list", "-f", "json"),
    lookWith(host, settings, "version"),
    configurationNow(host, settings),
  ]);
  if (!listed.ok) return listed;
  if (!version.ok) return version;
  try {
    const { hba, hbaFile, ...told } = readConfiguration(parsed);
    return succeed({
      ...told,
      version: readVersion(version.value) ?? "unknown",
      scope: own.value.scope,
      member: own.value.name ?? "",
      members: [...readMembers(listed.value)],
      ownsHba: (hba || own.value.hba) && !hbaFile && !own.value.hbaFile,
    });
  } catch (error) {
    return fail("postgresql.patronictl-failed", { command: "list, show-config", cause: whyUnread(error) });
  }
}

/** The command that restarts the server, where the agent's file names one. */
export function restartOf({ settings: { unit, patroni } }: Means): string | null {
  if (patroni !== undefined) return `${patroni.patronictl} -c ${patroni.config} restart`;
  return unit === undefined ? null : `systemctl restart ${unit}`;
}
