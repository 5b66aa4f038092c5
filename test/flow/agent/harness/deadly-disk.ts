/** A disk that ends its own process at the n-th record of the journal: "12:before" or "12:after" it is durable. */
import type { Disk } from "#agent/program/disk.ts";

export function deadlyDisk(disk: Disk, dieAt: string): Disk {
  const [at, moment] = dieAt.split(":");
  let records = 0;
  const die = () => {
    process.kill(process.pid, "SIGKILL");
    // The signal comes at once, but only at the next turn; nothing may happen until then.
    return new Promise<void>(() => undefined);
  };
  return {
    ...disk,
    open: async (path) => {
      const file = await disk.open(path);
      return {
        ...file,
        append: async (bytes) => {
          records += 1;
          if (records === Number(at) && moment === "before") return die();
          await file.append(bytes);
        },
        sync: async () => {
          await file.sync();
          if (records === Number(at) && moment === "after") return die();
        },
      };
    },
  };
}
