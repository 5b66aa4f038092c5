/** The first thing anyone runs: the demo as a user types it, from its first word to what it leaves behind. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { exitCodes } from "#coordinator/cli/exit-code.ts";
import { bundled } from "./harness/fleet.ts";

let dist = "";
beforeAll(async () => {
  dist = await bundled();
}, 120_000);
afterAll(async () => {
  await rm(dist, { recursive: true, force: true });
});

interface Played {
  readonly child: ChildProcess;
  readonly folder: string;
  readonly screen: () => string;
  readonly code: Promise<number | null>;
}

/** The demo with a folder for temporary files of its own: what it leaves there or lets run is seen. */
async function play(...args: readonly string[]): Promise<Played> {
  const folder = await mkdtemp(join(tmpdir(), "lockkeeper-played-"));
  const child = spawn(process.execPath, [join(dist, "lockkeeper"), "demo", ...args], {
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
  return { child, folder, screen: () => screen, code: new Promise((resolve) => child.on("close", resolve)) };
}

/** Processes of this machine whose command line names the folder. */
async function stillRunning(folder: string): Promise<readonly string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const commandLines = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")),
  );
  return commandLines.filter((line) => line.includes(folder)).map((line) => line.replaceAll("\0", " "));
}

async function leavesNothing({ folder }: Played): Promise<void> {
  expect(await stillRunning(folder)).toEqual([]);
  expect(await readdir(folder)).toEqual([]);
}

/** What the last `node list` showed: node → its line. */
function lastTable(screen: string): ReadonlyMap<string, string> {
  const text = screen.slice(screen.lastIndexOf("$ lockkeeper node list"));
  const lines = text.split("\n").filter((line) => /\bdb\d\b/.test(line));
  return new Map(lines.map((line) => [/\bdb\d\b/.exec(line)?.[0] ?? "", line]));
}

describe("lockkeeper demo", () => {
  it("brings three nodes to the new version, one after the other, and leaves nothing", async () => {
    const demo = await play();
    expect(await demo.code, demo.screen()).toBe(exitCodes.done);
    for (const command of ["snapshot take", "check", "plan", "apply", "snapshot diff"])
      expect(demo.screen()).toContain(`$ lockkeeper ${command}`);
    expect([...lastTable(demo.screen())].map(([node, line]) => [node, line.includes("3.1.0")])).toEqual([
      ["db1", true],
      ["db2", true],
      ["db3", true],
    ]);
    await leavesNothing(demo);
  });

  it("with a node that does not come back: stops, leaves the next untouched, says why, and the printed command mends it", async () => {
    const demo = await play("--fail-at", "db2");
    expect(await demo.code, demo.screen()).toBe(exitCodes.stopped);
    const screen = demo.screen();
    const stopped = screen.slice(screen.indexOf("$ lockkeeper why"), screen.indexOf("Somebody mends"));
    const [, printed = ""] = /command: (lockkeeper retry .*)/.exec(stopped) ?? [];
    expect(printed).toContain("-n db2");
    expect(screen).toContain(`$ ${printed}`);
    expect(lastTable(stopped).get("db3")).toContain("3.0.0");
    for (const node of ["db1", "db2", "db3"]) expect(lastTable(screen).get(node)).toContain("3.1.0");
    await leavesNothing(demo);
  });

  it("interrupted in the middle: ends at once and leaves nothing", async () => {
    const demo = await play();
    await expect.poll(demo.screen, { timeout: 120_000 }).toContain("$ lockkeeper apply");
    demo.child.kill("SIGINT");
    expect(await demo.code).toBe(130);
    await leavesNothing(demo);
  });
});
