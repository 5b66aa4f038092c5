// Each host gets control groups of its own, in every hierarchy that systemd or the freezer uses. Without them all
// hosts started with `--keep-unit` from one place share one `payload` group, and a service of the same name on two
// hosts is then one group: stopping it on the first waits for the processes of the second. The tree is also the
// lab's memory of what it started: whatever is in it was started by the lab and may be ended.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = "/sys/fs/cgroup";
const OURS = "lockkeeper-lab";
/** Of a machine with version 1 or both: systemd's own hierarchy, its version 2 twin, and the freezer. */
const SPLIT_HIERARCHIES = ["systemd", "unified", "freezer"] as const;

/** Folders of the group `path` (such as "LAB/db1") in each hierarchy that is there; they need not exist yet. */
export function cgroupFolders(path: string): string[] {
  const unified = existsSync(join(ROOT, "cgroup.controllers"));
  const hierarchies = unified ? [ROOT] : SPLIT_HIERARCHIES.map((name) => join(ROOT, name));
  return hierarchies
    .filter((folder) => existsSync(join(folder, "cgroup.procs")))
    .map((folder) => join(folder, OURS, path));
}

/** Words to put before an argv, so that the process is in the groups before its first instruction. */
export function joinCgroup(path: string): string[] {
  const folders = cgroupFolders(path);
  for (const folder of folders) mkdirSync(folder, { recursive: true });
  return ["sh", "-c", JOIN, "join", ...folders, "--"];
}

const JOIN = 'while [ "$1" != -- ]; do echo $$ >"$1/cgroup.procs" || exit 97; shift; done; shift; exec "$@"';

/** Stops every process of the group at once; false where the kernel has no freezer. */
export function freeze(path: string): boolean {
  for (const folder of cgroupFolders(path)) {
    for (const [file, word] of FREEZERS) {
      if (!existsSync(join(folder, file))) continue;
      writeFileSync(join(folder, file), word.stop);
      return true;
    }
  }
  return false;
}

/** Lets every process of the group, and of the groups below it, go on. */
export function thaw(path: string): void {
  for (const folder of cgroupFolders(path).flatMap(tree)) {
    for (const [file, word] of FREEZERS) {
      if (existsSync(join(folder, file))) writeFileSync(join(folder, file), word.go);
    }
  }
}

const FREEZERS = [
  ["cgroup.freeze", { stop: "1", go: "0" }],
  ["freezer.state", { stop: "FROZEN", go: "THAWED" }],
] as const;

/** Process ids in the group and below it. */
export function cgroupPids(path: string): number[] {
  const pids = new Set<number>();
  for (const folder of cgroupFolders(path).flatMap(tree)) {
    for (const line of readLines(join(folder, "cgroup.procs"))) if (Number(line) > 0) pids.add(Number(line));
  }
  return [...pids];
}

/** Removes the empty group and what is below it; what still holds a process stays. */
export function removeCgroup(path: string): void {
  for (const folder of cgroupFolders(path).flatMap(tree).reverse()) {
    try {
      rmdirSync(folder);
    } catch {
      // a process of it is just ending; the next lab of this name tries again
    }
  }
}

/** The folder and all below it, parents first. */
function tree(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const below = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [folder, ...below.flatMap((entry) => tree(join(folder, entry.name)))];
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, "utf8").split("\n").filter(Boolean);
  } catch {
    return [];
  }
}
