/** What only checks, plans and snapshots need: configuration, settings, spread, sessions, and who else works here. */
import { readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { KwdbFull } from "#proto/engines/kwdb.ts";
import type { Host } from "../../verb.ts";
import { type Client, normal, openClient, type Rows } from "./client.ts";
import { readText, sha256Of } from "./files.ts";
import { take } from "./measure.ts";
import { parseMode } from "./mode.ts";
import { paths, unitFile } from "./paths.ts";
import type { KwdbSettings } from "./settings.ts";

type FullOnly = Omit<KwdbFull, "versionFile" | "unit" | "ready" | "nodes" | "ranges" | "jobs" | "running">;

export async function fullFacts(host: Host, settings: KwdbSettings): Promise<FullOnly> {
  const client = await openClient(host);
  const ask = <T>(question: (open: Client) => Promise<Outcome<T>>) =>
    take(host, async () => (client.ok ? question(client.value) : client));
  const asked = client.ok ? client.value.queries(fullQuestions) : Promise.resolve(client);
  const answer = <T>(pick: (answers: Readonly<Record<keyof typeof fullQuestions, Rows>>) => T) =>
    take(host, async (): Promise<Outcome<T>> => {
      const answers = await asked;
      return answers.ok ? succeed(pick(answers.value)) : answers;
    });
  const of = <T>(work: () => Promise<Outcome<T>>) => take(host, work);
  const [binary, mode, startModeFile, unitSha256, configurationSha256, found, spread, sessions] =
    await Promise.all([
      of(() => binaryFacts(host)),
      of(async () => {
        const text = await readText(host, paths.mode);
        return text.ok ? parseMode(text.value) : text;
      }),
      ask(async ({ mode: { dataRoot } }) => trimmed(await readText(host, `${dataRoot}/kwbase.start_mode`))),
      of(async () => succeed(await sha256Of(host.path(unitFile(settings.unit))))),
      of(() => configuration(host)),
      answer((answers) => toSettings(answers.settings)),
      answer((answers) => toSpread(answers.spread)),
      answer((answers) => toSessions(answers.sessions)),
    ]);
  const [sudo, foreign, meddlers, keptPackages, upgradeCompleteFlag, packageTool, architecture] =
    await Promise.all([
      of(() => sudoWorks(host)),
      of(() => foreignInstallers(host)),
      of(() => meddlersOn(host)),
      of(() => kept(host)),
      of(async () => {
        const text = await readText(host, paths.environment);
        return text.ok ? succeed(text.value.includes("--upgrade-complete")) : text;
      }),
      of(() => packageToolOf(host)),
      of(async () => {
        const look = await host.look(["uname", "-m"], { deadlineMs: lookMs });
        return look.exitCode === 0 ? succeed(look.stdout.trim()) : fail("look.failed", { what: "uname -m" });
      }),
    ]);
  return {
    binary,
    mode,
    startModeFile,
    unitSha256,
    configurationSha256,
    settings: found,
    spread,
    sessions,
    sudo,
    foreign,
    meddlers,
    keptPackages,
    upgradeCompleteFlag,
    packageTool,
    architecture,
  };
}

const lookMs = 10_000;

export async function binaryFacts(host: Host): Promise<Outcome<{ version: string; sha256: string }>> {
  const look = await host.look([host.path(paths.binary), "version"], { deadlineMs: lookMs });
  if (look.exitCode !== 0)
    return fail("kwdb.binary-missing", { path: paths.binary, cause: look.spawnError ?? look.stderr.trim() });
  const version = /^(?:KaiwuDB|KWDB) Version:\s+(\S+)/m.exec(look.stdout)?.[1];
  if (version === undefined) return fail("kwdb.binary-mute", { path: paths.binary });
  return succeed({ version: normal(version), sha256: await sha256Of(host.path(paths.binary)) });
}

function trimmed(text: Outcome<string>): Outcome<string> {
  return text.ok ? succeed(text.value.trim()) : text;
}

async function configuration(host: Host): Promise<Outcome<Record<string, string>>> {
  const sums: Record<string, string> = {};
  for (const file of [paths.mode, paths.nodeFile, paths.environment]) {
    sums[file] = await sha256Of(host.path(file)).catch(() => "absent");
  }
  return succeed(sums);
}

/** What the playbook reads of the cluster's settings; one that a version does not have is no setting. */
const wantedSettings: readonly string[] = [
  "server.time_until_store_dead",
  "ts.raft_log.sync_period",
  "cluster.preserve_downgrade_option",
];

const fullQuestions = {
  settings: { sql: "SHOW CLUSTER SETTINGS", header: "variable" },
  spread: {
    sql: "SELECT store_id, node_id, range_count, lease_count FROM kwdb_internal.kv_store_status",
    header: "store_id",
  },
  sessions: {
    sql: "SELECT client_address, node_id FROM kwdb_internal.cluster_sessions",
    header: "client_address",
  },
} as const;

function toSettings(rows: Rows): Record<string, string> {
  const found = rows.filter((row) => wantedSettings.includes(row["variable"] ?? ""));
  return Object.fromEntries(found.map((row) => [row["variable"] ?? "", row["value"] ?? ""]));
}

function toSpread(rows: Rows): { nodeId: number; leaseholders: number; replicas: number }[] {
  return rows.map((row) => ({
    nodeId: Number(row["node_id"]),
    leaseholders: Number(row["lease_count"]),
    replicas: Number(row["range_count"]),
  }));
}

function toSessions(rows: Rows): { nodeId: number; client: string; count: number }[] {
  const counts = new Map<string, { nodeId: number; client: string; count: number }>();
  for (const row of rows) {
    const address = row["client_address"] ?? "";
    if (address === "" || address.startsWith("<")) continue;
    const key = `${row["node_id"]} ${address}`;
    const entry = counts.get(key) ?? { nodeId: Number(row["node_id"]), client: address, count: 0 };
    counts.set(key, { ...entry, count: entry.count + 1 });
  }
  return [...counts.values()];
}

async function sudoWorks(host: Host): Promise<Outcome<boolean>> {
  const look = await host.look(["sudo", "-n", "true"], { deadlineMs: lookMs });
  return succeed(look.exitCode === 0);
}

/**
 * Another deploy.sh, dpkg, rpm or apt: the script has no lock of its own. On a demo host, which is a folder
 * beside others on one machine, only those that work in its folder count.
 */
export async function foreignInstallers(host: Host): Promise<Outcome<string[]>> {
  const root = host.path("/");
  const found: string[] = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const words = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0");
    const names = words.slice(0, 2).map((word) => word.split("/").at(-1) ?? "");
    const name = names.find((each) => /^(deploy\.sh|dpkg|rpm|apt|apt-get|yum|dnf|zypper)$/.test(each));
    if (name === undefined) continue;
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => "");
    if (root === "/" || cwd.startsWith(root) || cwd.startsWith(host.stateDir)) found.push(`${pid} ${name}`);
  }
  return succeed(found);
}

const meddlesome = [
  "apt-daily-upgrade.timer",
  "apt-daily.timer",
  "unattended-upgrades.service",
  "dnf-automatic.timer",
  "puppet.service",
  "chef-client.service",
  "salt-minion.service",
];

async function meddlersOn(host: Host): Promise<Outcome<string[]>> {
  const look = await host.look(["systemctl", "is-active", ...meddlesome], { deadlineMs: lookMs });
  if (look.spawnError !== undefined || look.timedOut)
    return fail("look.failed", { what: "systemctl is-active" });
  const states = look.stdout.trim().split("\n");
  return succeed(meddlesome.filter((_, index) => states[index] === "active"));
}

/** Packages in the agent's own folder, by the version that they hold. */
async function kept(host: Host): Promise<Outcome<{ version: string; sha256: string }[]>> {
  const folder = join(host.stateDir, "packages");
  const digests = await readdir(folder).catch(() => []);
  const found: { version: string; sha256: string }[] = [];
  for (const sha256 of digests.filter((name) => /^[0-9a-f]{64}$/.test(name))) {
    const version = await readFile(join(folder, sha256, "version"), "utf8").catch(() => undefined);
    if (version !== undefined) found.push({ version: version.trim(), sha256 });
  }
  return succeed(found);
}

async function packageToolOf(host: Host): Promise<Outcome<"dpkg" | "rpm">> {
  const dpkg = await host.look(["dpkg", "--help"], { deadlineMs: lookMs });
  if (dpkg.exitCode === 0) return succeed("dpkg");
  const rpm = await host.look(["rpm", "--version"], { deadlineMs: lookMs });
  return rpm.exitCode === 0 ? succeed("rpm") : fail("kwdb.no-package-tool", {});
}
