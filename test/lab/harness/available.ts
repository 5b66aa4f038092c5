// Whether real hosts can be had here. The lab needs root, systemd-nspawn, overlay mounts and network namespaces;
// what Debian can install is installed, everything else is a reason, said in one line.
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { cgroupFolders, joinCgroup, removeCgroup } from "./cgroup.ts";
import { takeFileLock } from "./file-lock.ts";
import { run } from "./run.ts";
import { labFolder } from "./state-folders.ts";

export type Availability = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** Command that must be there → Debian package that brings it. */
const TOOLS: Readonly<Record<string, string>> = {
  "systemd-nspawn": "systemd-container",
  debootstrap: "debootstrap",
  ip: "iproute2",
  tc: "iproute2",
  nsenter: "util-linux",
  unshare: "util-linux",
  setpriv: "util-linux",
  flock: "util-linux",
  losetup: "mount",
  "mkfs.ext4": "e2fsprogs",
  "mkfs.xfs": "xfsprogs",
};

const INSTALL_LIMIT_MS = 240_000;
let answer: Promise<Availability> | undefined;

/** Answers once per process; installs missing Debian packages when it may. */
export function labAvailable(): Promise<Availability> {
  answer ??= findOut();
  return answer;
}

async function findOut(): Promise<Availability> {
  if (process.platform !== "linux") return no(`the lab needs Linux, this is ${process.platform}`);
  if (process.getuid?.() !== 0) return no("the lab needs root to boot its hosts");
  const lacking = missingPackages();
  if (lacking.length > 0 && !(await install(lacking))) {
    return no(`the lab needs ${missingPackages().join(", ")} and apt-get could not install them`);
  }
  const groups = probeCgroups();
  if (groups !== undefined) return no(`the lab needs control groups of its own: ${groups}`);
  return (await probeKernel()) ?? { ok: true };
}

/** Whether lines can be given delay and loss: netem is a kernel option that small kernels leave out. */
export async function kernelHasNetem(): Promise<boolean> {
  const argv = ["unshare", "--net", "tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms"];
  return (await run(argv)).code === 0;
}

function missingPackages(): string[] {
  const missing = Object.keys(TOOLS).filter((tool) => !onPath(tool));
  return [...new Set(missing.map((tool) => TOOLS[tool] ?? tool))].sort();
}

function onPath(tool: string): boolean {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, tool), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

async function install(packages: readonly string[]): Promise<boolean> {
  if (!existsSync("/usr/bin/apt-get")) return false;
  await using _lock = await takeFileLock(join(labFolder(), "apt.lock"), INSTALL_LIMIT_MS);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" } as Record<string, string>;
  const apt = (...args: string[]) =>
    run(["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=60", ...args], {
      env,
      timeoutMs: INSTALL_LIMIT_MS,
    });
  const wanted = ["install", "-y", "--no-install-recommends", ...packages];
  if ((await apt(...wanted)).code === 0) return true;
  await apt("update");
  return (await apt(...wanted)).code === 0;
}

function probeCgroups(): string | undefined {
  const probe = `probe-${process.pid}`;
  if (cgroupFolders(probe).length === 0) return "no hierarchy for systemd is mounted";
  try {
    joinCgroup(probe);
    return undefined;
  } catch (error) {
    return oneLine(String(error));
  } finally {
    removeCgroup(probe);
  }
}

/** Mounts an overlay and makes a network in namespaces that end with the probe. */
async function probeKernel(): Promise<Availability | undefined> {
  const probes: readonly (readonly [string, readonly string[]])[] = [
    ["network namespaces", ["--net", "ip", "link", "add", "probe", "type", "bridge"]],
    ["veth pairs", ["--net", "ip", "link", "add", "probe0", "type", "veth", "peer", "name", "probe1"]],
    ["overlay mounts", ["--mount", "sh", "-ec", OVERLAY_PROBE, "probe", labFolder()]],
  ];
  for (const [what, argv] of probes) {
    const result = await run(["unshare", ...argv], { timeoutMs: 10_000 });
    if (result.code !== 0)
      return no(`the lab needs ${what}, and this kernel refuses: ${oneLine(result.stderr)}`);
  }
  return undefined;
}

const OVERLAY_PROBE = `
d=$(mktemp -d "$1/probe.XXXXXX"); trap 'rm -rf "$d"' EXIT
mkdir "$d/low" "$d/up" "$d/work" "$d/root"
mount -t overlay overlay -o "lowerdir=$d/low,upperdir=$d/up,workdir=$d/work" "$d/root"; umount "$d/root"`;

function no(reason: string): Availability {
  return { ok: false, reason };
}

function oneLine(text: string): string {
  return text.trim().split("\n").at(-1)?.trim() ?? "";
}
