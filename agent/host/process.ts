/**
 * Processes of the host as /proc shows them. A pid alone proves nothing, numbers come round again: a process is
 * known by its pid and its start time in clock ticks since boot.
 */
import { readdir, readFile } from "node:fs/promises";

export interface ProcessFacts {
  readonly pid: number;
  readonly group: number;
  readonly startTicks: number;
}

/** undefined when there is no such process, or only its remains wait to be collected. */
export async function processFacts(pid: number): Promise<ProcessFacts | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  // The command's name stands in brackets and may itself hold spaces and brackets.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, , group] = fields;
  const startTicks = Number(fields[19]);
  if (state === undefined || state === "Z" || state === "X" || !Number.isFinite(startTicks)) return undefined;
  return { pid, group: Number(group), startTicks };
}

/** Living members of a process group. */
export async function groupMembers(group: number): Promise<readonly number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(pids.map(processFacts));
  return found.filter((one) => one?.group === group).map((one) => one?.pid ?? 0);
}

/** False when nothing of the group is left, or it is not ours to signal. */
export function signalGroup(group: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(-group, signal);
  } catch {
    return false;
  }
}
