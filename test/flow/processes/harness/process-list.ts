/** What anybody on the host reads in the list of processes, looked at again and again. */
import { readdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

const everyMs = 40;

export interface ProcessList {
  /** Command lines of whatever ran meanwhile, each once, its words apart by spaces. */
  stop(): Promise<readonly string[]>;
}

export function watchProcesses(): ProcessList {
  const seen = new Set<string>();
  let isOver = false;
  const look = async () => {
    while (!isOver) {
      const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
      const lines = await Promise.all(
        pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")),
      );
      for (const line of lines) if (line !== "") seen.add(line.replaceAll("\0", " "));
      await sleep(everyMs);
    }
  };
  const looking = look();
  return {
    stop: async () => {
      isOver = true;
      await looking;
      return [...seen];
    },
  };
}
