// Finished Debian roots, built once per suite and package list and never changed afterwards: hosts boot from an
// overlay above them. A root is built beside its name and renamed, under a lock the kernel frees when the builder
// dies, so that two runs at once build it once and a killed build leaves no half root under a good name.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { takeFileLock } from "./file-lock.ts";
import { debianMirror } from "./mirror.ts";
import { mustRun } from "./run.ts";
import { rootsFolder, shortHash } from "./state-folders.ts";

export type Suite = "bookworm" | "trixie" | "forky";

export interface RootSpec {
  readonly suite: Suite;
  /** Debian packages beyond a bootable minimum; installed without recommended ones, their services not started. */
  readonly packages?: readonly string[];
}

/** Raised whenever the recipe below changes, so that older roots are not taken for new ones. */
const RECIPE = 1;
const BASE_PACKAGES = [
  "systemd",
  "systemd-sysv",
  "dbus",
  "iproute2",
  "iputils-ping",
  "procps",
  "sudo",
  "libstdc++6",
];
/** debootstrap of Debian 12 knows no forky; the recipe of unstable builds it. */
const SCRIPTS: Readonly<Partial<Record<Suite, string>>> = {
  forky: "/usr/share/debootstrap/scripts/sid",
};
const BUILD_LIMIT_MS = 600_000;

/** Folder of a finished root; builds it (about 40 s for the base) when it is not there yet. */
export async function debianRoot(spec: RootSpec): Promise<string> {
  const packages = [...new Set(spec.packages ?? [])].sort();
  const folder = join(rootsFolder(), rootKey(spec.suite, packages));
  if (existsSync(folder)) return folder;
  if (packages.length > 0) await debianRoot({ suite: spec.suite });
  await using lock = await takeFileLock(`${folder}.lock`, 2 * BUILD_LIMIT_MS);
  if (lock === null) throw new Error(`another run has been building ${folder} for too long`);
  if (existsSync(folder)) return folder;
  const building = `${folder}.building`;
  await removeUnfinished(building);
  await (packages.length === 0
    ? buildBase(spec.suite, building)
    : extendBase(spec.suite, packages, building));
  await mustRun(["mv", "--no-target-directory", building, folder]);
  return folder;
}

/** Name of a root: what it was built from, nothing of when or where. */
function rootKey(suite: Suite, packages: readonly string[]): string {
  const list = [...new Set(packages)].sort();
  return `${suite}-${shortHash(JSON.stringify([RECIPE, process.arch, BASE_PACKAGES, list]))}`;
}

async function buildBase(suite: Suite, folder: string): Promise<void> {
  const script = SCRIPTS[suite];
  const options = ["--variant=minbase", `--include=${BASE_PACKAGES.join(",")}`];
  const argv = ["debootstrap", ...options, suite, folder, await debianMirror(), ...(script ? [script] : [])];
  await inOwnMounts(argv);
  await inOwnMounts(["sh", "-ec", FINISH, "finish", folder]);
}

async function extendBase(suite: Suite, packages: readonly string[], folder: string): Promise<void> {
  await mustRun(["cp", "--archive", join(rootsFolder(), rootKey(suite, [])), folder], {
    timeoutMs: BUILD_LIMIT_MS,
  });
  await inOwnMounts(["sh", "-ec", EXTEND, "extend", folder, ...packages]);
}

/** Mounts made by the tool end with it, so that a killed build can be removed without reaching into /proc. */
async function inOwnMounts(argv: readonly string[]): Promise<void> {
  const own = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"];
  const env = {
    ...process.env,
    DEBIAN_FRONTEND: "noninteractive",
    LC_ALL: "C.UTF-8",
  } as Record<string, string>;
  env.PATH = `${env.PATH ?? ""}:/usr/sbin:/sbin`;
  await mustRun([...own, ...argv], { timeoutMs: BUILD_LIMIT_MS, env });
}

async function removeUnfinished(folder: string): Promise<void> {
  await mustRun(["rm", "--recursive", "--force", "--one-file-system", folder], {
    timeoutMs: 60_000,
  });
}

// Hosts write their own machine id and name; the journal is kept over a power-off, because tests prove from it.
const FINISH = `
cd "$1"; mkdir -p var/log/journal; : >etc/machine-id; rm -f etc/hostname etc/resolv.conf var/cache/apt/archives/*.deb
ln -sf /dev/null etc/systemd/system/systemd-timesyncd.service
ln -sf /dev/null etc/systemd/system/systemd-resolved.service`;

// No service of a package may start while it is installed: there is no systemd in there yet.
const EXTEND = `
root=$1; shift
cp /etc/resolv.conf "$root/etc/resolv.conf"; mount -t proc proc "$root/proc"
printf '#!/bin/sh\\nexit 101\\n' >"$root/usr/sbin/policy-rc.d"; chmod 755 "$root/usr/sbin/policy-rc.d"
chroot "$root" apt-get -q -o Acquire::Check-Valid-Until=false update
chroot "$root" apt-get -q -y --no-install-recommends install "$@"
chroot "$root" apt-get clean
rm -f "$root/usr/sbin/policy-rc.d" "$root/etc/resolv.conf"; umount "$root/proc"`;
