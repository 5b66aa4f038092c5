// Takes away everything a lab has made: processes, mounts, network, folders. Synchronous, because it also runs when
// the process is ending, and the same for a lab that ends well, one whose test threw, and one whose run was killed
// long ago: it reads what is there (control groups, mount table), not what somebody remembers.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { cgroupPids, removeCgroup, thaw } from "./cgroup.ts";

export interface LabPlace {
  /** Control group of the lab, below which each host has its own. */
  readonly cgroup: string;
  readonly netns: string;
  /** Folder with all of the lab's state; its mounts are below it. */
  readonly folder: string;
}

const KILL_LIMIT_MS = 5_000;
const KILL_POLL_MS = 20;
const TOOL_LIMIT_MS = 20_000;
/** Gigabytes of an engine's layers, on a disk that others use too. */
const REMOVE_LIMIT_MS = 120_000;

/** Ends and removes all of the lab; what refuses to go is named in the answer. */
export function sweep(place: LabPlace): readonly string[] {
  const left = endProcesses(place.cgroup).map((pid) => `process ${pid}`);
  for (const mount of mountsBelow(place.folder).reverse()) quietly("umount", "--lazy", mount);
  if (existsSync(`/run/netns/${place.netns}`)) quietly("ip", "netns", "delete", place.netns);
  tried(["rm", "--recursive", "--force", "--one-file-system", place.folder], REMOVE_LIMIT_MS);
  removeCgroup(place.cgroup);
  if (existsSync(place.folder)) left.push(`folder ${place.folder}`);
  return left;
}

/** Ends every process of the group, hosts' own included, and answers with those that would not go. */
export function endProcesses(cgroup: string): readonly number[] {
  const deadline = performance.now() + KILL_LIMIT_MS;
  let pids = cgroupPids(cgroup);
  while (pids.length > 0 && performance.now() < deadline) {
    for (const pid of pids) kill(pid);
    thaw(cgroup); // a frozen process takes its SIGKILL only when it may run again
    sleepSync(KILL_POLL_MS);
    pids = cgroupPids(cgroup);
  }
  return pids;
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // already gone
  }
}

function mountsBelow(folder: string): string[] {
  const points = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "");
  return points.filter((point) => point.startsWith(`${folder}/`));
}

function quietly(...argv: readonly string[]): void {
  tried(argv, TOOL_LIMIT_MS);
}

function tried([command = "", ...args]: readonly string[], timeout: number): void {
  try {
    execFileSync(command, args, { stdio: "ignore", timeout });
  } catch {
    // what is left is found by the caller and by the next sweep
  }
}

function sleepSync(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
