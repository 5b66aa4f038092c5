/** Processes of the host that matter to an installation: other installers, and what is left of earlier runs. */
import { readdir, readFile, readlink } from "node:fs/promises";
import { dirname } from "node:path";
import { type Outcome, succeed } from "#proto/common/failure.ts";
import type { Host } from "../../verb.ts";

interface ProcessWords {
  readonly pid: string;
  readonly words: readonly string[];
  /** Empty where it may not be read, or the process is gone. */
  readonly folder: string;
}

/** Every process that still has a command line; the kernel's own and dead ones have none. */
async function processes(): Promise<readonly ProcessWords[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const all = await Promise.all(
    pids.map(async (pid) => {
      const text = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      const folder = await readlink(`/proc/${pid}/cwd`).catch(() => "");
      return { pid, words: text.split("\0").filter((word) => word !== ""), folder };
    }),
  );
  return all.filter(({ words }) => words.length > 0);
}

const installer =
  /^(deploy\.sh|dpkg|rpm|apt|apt-get|aptitude|aptd|unattended-upgrades?|yum|dnf|zypper|packagekitd)$/;

/** `unattended-upgrade-shutdown` and the like only wait for a shutdown: their names do not match. */
function installerName(words: readonly string[]): string | undefined {
  return words
    .slice(0, 2)
    .map((word) => word.split("/").at(-1) ?? "")
    .find((name) => installer.test(name));
}

/**
 * Another deploy.sh, dpkg, rpm or apt, as "pid name": the script has no lock of its own. On a demo host, which is
 * a folder beside others on one machine, only those that work in its folder count.
 */
export async function foreignInstallers(host: Host): Promise<Outcome<string[]>> {
  const root = host.path("/");
  const found = (await processes()).flatMap(({ pid, words, folder }) => {
    const name = installerName(words);
    if (name === undefined) return [];
    const isHere =
      root === "/" || isWithin(folder, root.replace(/\/$/, "")) || isWithin(folder, host.stateDir);
    return isHere ? [`${pid} ${name}`] : [];
  });
  return succeed(found);
}

/**
 * Processes that work in a package's folder: when only its main process is killed, deploy.sh goes on in a child,
 * from the folder below.
 */
export async function workingIn(folder: string): Promise<readonly string[]> {
  const all = await processes();
  return all
    .filter(({ words, folder: cwd }) => isWithin(cwd, folder) || words.some((word) => isWithin(word, folder)))
    .map(({ pid }) => pid);
}

/** Servers of this binary that outlived their unit, started by its full path or from its folder. */
export async function serversOf(binary: string): Promise<readonly string[]> {
  const bin = dirname(binary);
  const all = await processes();
  return all
    .filter(({ words, folder }) => {
      const at = words.findIndex(
        (word) => word === binary || (folder === bin && /^(\.\/)?kwbase$/.test(word)),
      );
      return (at === 0 || at === 1) && /^start/.test(words[at + 1] ?? "");
    })
    .map(({ pid }) => pid);
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}
