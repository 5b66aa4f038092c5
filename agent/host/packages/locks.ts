/** Who changes packages on this host at this moment: apt and dpkg keep their lock files open for as long as they hold them. */
import { readdir, readFile, readlink, stat } from "node:fs/promises";
import { basename } from "node:path";
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Host } from "../../verb.ts";

const lockFiles = [
  "/var/lib/dpkg/lock-frontend",
  "/var/lib/dpkg/lock",
  "/var/cache/apt/archives/lock",
] as const;
const names: ReadonlySet<string> = new Set(lockFiles.map((file) => basename(file)));
const pauseMs = 500;

/** Waits until nobody does. Refused: `packages.locked`, once the limit has passed. */
export async function untilUnlocked(
  host: Host,
  { limitMs, signal }: { readonly limitMs: number; readonly signal: AbortSignal },
): Promise<Outcome<undefined>> {
  const { clock } = host;
  for (const endMs = clock.monotonicMs() + limitMs; ; ) {
    const holders = await holdersOf(host);
    if (holders.length === 0) return succeed(undefined);
    if (signal.aborted || clock.monotonicMs() >= endMs)
      return fail("packages.locked", { by: holders.join(", "), limitMs: String(limitMs) });
    await clock.sleep(pauseMs, signal).catch(() => undefined);
  }
}

/** As `pid program`. */
async function holdersOf(host: Host): Promise<readonly string[]> {
  const found = await Promise.all(lockFiles.map((file) => identityOf(host.path(file))));
  const locks: ReadonlySet<string> = new Set(found.flatMap((each) => each ?? []));
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const holders = await Promise.all(
    pids.map(async (pid) => {
      const folder = `/proc/${pid}/fd`;
      // gone meanwhile, or not ours to look at
      const numbers = await readdir(folder).catch(() => []);
      for (const number of numbers) {
        const file = `${folder}/${number}`;
        // by its name first: a process may have thousands open. One of a container has the name alone
        const isNamed = names.has(basename(await readlink(file).catch(() => "")));
        if (isNamed && locks.has((await identityOf(file)) ?? "")) {
          const name = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "");
          return [`${pid} ${name.trim()}`];
        }
      }
      return [];
    }),
  );
  return holders.flat();
}

async function identityOf(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found === undefined ? undefined : `${found.dev} ${found.ino}`;
}
