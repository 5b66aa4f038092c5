/** What /proc says of a process. */
import { readFile } from "node:fs/promises";

export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? Number.NaN) * 1024;
}

/** Processor time used so far, ms, of the process itself and its ended children. Clock ticks are 10 ms. */
export async function processorMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [user = Number.NaN, system = Number.NaN, childUser = Number.NaN, childSystem = Number.NaN] = fields
    .slice(11, 15)
    .map(Number);
  return (user + system + childUser + childSystem) * 10;
}
