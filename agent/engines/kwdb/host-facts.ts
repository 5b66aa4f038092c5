/** What only checks, plans and snapshots need of the host: files, tools, and who else works here. */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Measured } from "#proto/common/measured.ts";
import type { KwdbFull } from "#proto/engines/kwdb.ts";
import { packageToolOn } from "../../host/packages/tool.ts";
import type { Host } from "../../verb.ts";
import type { Take } from "../measure.ts";
import { readText, sha256Of } from "./files.ts";
import type { Installation } from "./installation.ts";
import { keptPackages } from "./packages.ts";
import { paths, unitFile } from "./paths.ts";
import { foreignInstallers } from "./processes.ts";
import { savedOn } from "./saved.ts";
import { readKept } from "./store-dead-kept.ts";

type HostOnly = Omit<
  KwdbFull,
  | "versionFile"
  | "unit"
  | "ready"
  | "nodes"
  | "ranges"
  | "jobs"
  | "running"
  | "settings"
  | "spread"
  | "sessions"
  | "archive"
  | "archives"
  | "archiveRate"
  | "build"
  | "start"
>;

const lookMs = 10_000;

export async function hostFacts(here: Installation, take: Take): Promise<HostOnly> {
  const { host } = here;
  const [binary, mode, startModeFile, unitSha256, configurationSha256, upgradeCompleteFlag] =
    await Promise.all([
      take(() => here.program()),
      take(() => here.mode()),
      take(() => readStartMode(here)),
      unitSha256Of(here, take),
      take(() => here.configuration()),
      take(() => hasUpgradeFlag(here)),
    ]);
  const { container: readContainer, engine: readEngine } = here;
  const [sudo, foreign, meddlers, kept, packageTool, architecture, raised, container, docker, saved] =
    await Promise.all([
      take(() => sudoWorks(host)),
      take(() => foreignInstallers(host)),
      take(() => meddlersOn(host)),
      take(() => keptPackages(host)),
      take(() => packageToolOf(host)),
      take(() => architectureOf(host)),
      take(() => readKept(host)),
      readContainer === undefined ? notApplicable(host, "it is no container") : take(readContainer),
      readEngine === undefined ? notApplicable(host, "it is no container") : take(readEngine),
      take(() => savedOn(here)),
    ]);
  return {
    form: { at: new Date(host.clock.now()).toISOString(), value: here.form },
    container,
    docker,
    binary,
    mode,
    startModeFile,
    unitSha256,
    configurationSha256,
    upgradeCompleteFlag,
    sudo,
    foreign,
    meddlers,
    keptPackages: kept,
    packageTool,
    architecture,
    storeDeadRaised: raised,
    saved,
  };
}

async function unitSha256Of({ host, unit, unitPath }: Installation, take: Take): Promise<Measured<string>> {
  return unit === undefined
    ? notApplicable(host, "no unit starts it")
    : take(async () => succeed(await sha256Of(host.path(unitPath ?? unitFile(unit)))));
}

async function readStartMode(here: Installation): Promise<Outcome<string>> {
  const mode = await here.mode();
  if (!mode.ok) return mode;
  const text = await readText(here.host, `${mode.value.dataRoot}/kwbase.start_mode`);
  return text.ok ? succeed(text.value.trim()) : text;
}

/** What an online upgrade that did not come to its end leaves in the environment file. */
async function hasUpgradeFlag({
  host,
  flagFiles = [paths.environment],
}: Installation): Promise<Outcome<boolean>> {
  for (const file of flagFiles) {
    const text = await readText(host, file);
    if (text.ok && text.value.includes("--upgrade-complete")) return succeed(true);
    // hosts installed by early versions have no environment file until their first upgrade makes it
    if (!text.ok && text.failure.facts["errno"] !== "ENOENT") return text;
  }
  return succeed(false);
}

/** As deploy.sh asks, even when it is root already; as the agent itself, who calls it. */
async function sudoWorks(host: Host): Promise<Outcome<boolean>> {
  const look = await host.look(["sudo", "-n", "bash", "-c", "exit"], { deadlineMs: lookMs });
  return look.timedOut ? fail("look.failed", { what: "sudo -n" }) : succeed(look.exitCode === 0);
}

/** Timers and agents of hosts that may change packages or restart services by themselves. */
const meddlesome = [
  "apt-daily-upgrade.timer",
  "apt-daily.timer",
  "unattended-upgrades.service",
  "dnf-automatic.timer",
  "dnf-automatic-install.timer",
  "yum-cron.service",
  "packagekit.service",
  "puppet.service",
  "chef-client.service",
  "salt-minion.service",
  "cfengine3.service",
  "ansible-pull.timer",
];

async function meddlersOn(host: Host): Promise<Outcome<string[]>> {
  const argv = ["systemctl", "show", "-p", "Id,ActiveState", ...meddlesome] as const;
  const look = await host.look(argv, { deadlineMs: lookMs });
  if (look.exitCode !== 0) return fail("look.failed", { what: "systemctl show" });
  const active = look.stdout.split(/\n\s*\n/).flatMap((block) => {
    const id = /^Id=(.*)$/m.exec(block)?.[1] ?? "";
    return /^ActiveState=activ(?:e|ating)$/m.test(block) ? [id] : [];
  });
  return succeed(active);
}

export async function packageToolOf(host: Host): Promise<Outcome<"dpkg" | "rpm">> {
  const tool = await packageToolOn(host);
  return tool === undefined ? fail("kwdb.no-package-tool", {}) : succeed(tool);
}

async function architectureOf(host: Host): Promise<Outcome<string>> {
  const look = await host.look(["uname", "-m"], { deadlineMs: lookMs });
  return look.exitCode === 0 ? succeed(look.stdout.trim()) : fail("look.failed", { what: "uname -m" });
}

export function notApplicable(host: Host, why: string) {
  return { at: new Date(host.clock.now()).toISOString(), notApplicable: why };
}
