/** Who changes packages on this host at this moment: apt and dpkg keep their lock files open for as long as they hold them. */
import { readdir, readFile, readlink } from "node:fs/promises";
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Host } from "../../verb.ts";

const lockFiles = [
  "/var/lib/dpkg/lock-frontend",
  "/var/lib/dpkg/lock",
  "/var/cache/apt/archives/lock",
] as const;
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
  const files: ReadonlySet<string> = new Set(lockFiles.map((file) => host.path(file)));
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      // gone meanwhile, or not ours to look at
      const numbers = await readdir(`/proc/${pid}/fd`).catch(() => []);
      const links = await Promise.all(
        numbers.map((number) => readlink(`/proc/${pid}/fd/${number}`).catch(() => "")),
      );
      if (!links.some((link) => files.has(link))) return [];
      const name = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "");
      return [`${pid} ${name.trim()}`];
    }),
  );
  return found.flat();
}
