import { readFile } from "node:fs/promises";

/** A new one at each boot of the host; what an earlier boot has started is gone. */
export async function readBootId(): Promise<string> {
  return (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
}
