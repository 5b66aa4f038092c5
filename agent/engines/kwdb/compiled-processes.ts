/** Processes of a program that lies in a folder of its own, by the file that each runs. */
import { readdir, readFile, readlink, realpath } from "node:fs/promises";
import { join } from "node:path";

/** Server processes of this binary. Clients of the same file are none. */
export async function serversOfFile(binary: string): Promise<readonly number[]> {
  const wanted = await realpath(binary).catch(() => binary);
  return servers((file) => file === wanted || file === binary);
}

/** Server processes of this folder, and of the builds that stand beside it under its name. */
export async function serversBelow(folder: string): Promise<readonly number[]> {
  return servers((file) => file.startsWith(`${folder}/`) || file.startsWith(`${folder}.`));
}

async function servers(is: (file: string) => boolean): Promise<readonly number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const file = await executableOf(Number(pid));
      if (file === undefined || !is(file)) return [];
      const words = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      return /^start/.test(words.split("\0")[1] ?? "") ? [Number(pid)] : [];
    }),
  );
  return found.flat();
}

/** The file's present name; undefined where the process is gone or is none of ours to see. */
export async function executableOf(pid: number): Promise<string | undefined> {
  const file = await readlink(join("/proc", String(pid), "exe")).catch(() => undefined);
  return file?.replace(/ \(deleted\)$/, "");
}
