/** A demo as a user types it, in a folder for temporary files of its own: what it leaves there or lets run is seen. */
import { type ChildProcess, spawn } from "node:child_process";
import { chmod, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";

export interface Played {
  readonly child: ChildProcess;
  readonly folder: string;
  readonly screen: () => string;
  /** What stands in the folder by now. */
  readonly made: () => Promise<readonly string[]>;
  readonly code: Promise<number | null>;
}

export function playDemo(dist: string, ...args: readonly string[]): Promise<Played> {
  return playDemoIn(process.cwd(), dist, ...args);
}

/** Typed in that folder. */
export async function playDemoIn(cwd: string, dist: string, ...args: readonly string[]): Promise<Played> {
  const folder = await mkdtemp(join(tmpdir(), "lockkeeper-played-"));
  // servers that do not run as root are started in there
  await chmod(folder, 0o711);
  const child = spawn(process.execPath, [join(dist, "lockkeeper"), "demo", ...args], {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, TMPDIR: folder },
  });
  let screen = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      screen += text;
    });
  onTestFinished(async () => {
    child.kill("SIGINT");
    await rm(folder, { recursive: true, force: true });
  });
  return {
    child,
    folder,
    screen: () => screen,
    made: () => readdir(folder),
    code: new Promise((resolve) => child.on("close", resolve)),
  };
}

/** Processes of this machine whose command line names the folder. */
async function stillRunning(folder: string): Promise<readonly string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const commandLines = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")),
  );
  return commandLines.filter((line) => line.includes(folder)).map((line) => line.replaceAll("\0", " "));
}

export async function leavesNothing({ folder }: Played): Promise<void> {
  expect(await stillRunning(folder)).toEqual([]);
  expect(await readdir(folder)).toEqual([]);
}
