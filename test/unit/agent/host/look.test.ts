import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { lookWith } from "#agent/host/look.ts";
import { systemClock } from "#proto/common/clock.ts";

const env = { PATH: process.env["PATH"] ?? "" };
const look = (argv: readonly [string, ...string[]], deadlineMs = 5_000) =>
  lookWith(argv, { deadlineMs, env, clock: systemClock, graceMs: 200 });

describe("a look at the host", () => {
  it("tells the exit code and both outputs, and never throws", async () => {
    expect(await look(["sh", "-c", "echo out; echo err >&2; exit 3"])).toEqual({
      exitCode: 3,
      signal: undefined,
      timedOut: false,
      stdout: "out\n",
      stderr: "err\n",
    });
    const missing = await look(["/no/such/program"]);
    expect(missing.exitCode).toBeUndefined();
    expect(missing.spawnError).toContain("ENOENT");
  });

  it("does not wait for children that hold its outputs open, and leaves none behind", async () => {
    const folder = await mkdtemp(join(tmpdir(), "lockkeeper-look-"));
    const before = performance.now();
    const said = await look(["sh", "-c", `sleep 30 & echo $! >${folder}/pid; echo said`]);
    expect(performance.now() - before).toBeLessThan(2_000);
    expect(said).toMatchObject({ exitCode: 0, stdout: "said\n" });
    const pid = (await readFile(`${folder}/pid`, "utf8")).trim();
    const stat = () => readFile(`/proc/${pid}/stat`, "utf8").catch(() => "gone");
    await expect.poll(stat).toMatch(/^gone$|\) Z /);
  });

  it("is ended at its deadline with all its children, also when they do not hear", async () => {
    const before = performance.now();
    const said = await look(["sh", "-c", "trap '' TERM; sleep 30 & wait; sleep 30"], 300);
    expect(performance.now() - before).toBeLessThan(3_000);
    expect(said).toMatchObject({ exitCode: undefined, signal: "SIGKILL", timedOut: true });
  });

  it("keeps the last 64 KiB of an endless output, in whole characters", async () => {
    const said = await look(["sh", "-c", "yes 数据库升级 | head -c 3000000"]);
    expect(Buffer.byteLength(said.stdout)).toBeLessThanOrEqual(64 * 1024);
    expect(Buffer.byteLength(said.stdout)).toBeGreaterThan(60 * 1024);
    expect(said.stdout.slice(0, 100)).not.toContain("\uFFFD");
  });

  it("gets no word of ours into a shell, and no variable of this process", async () => {
    expect((await look(["printf", "%s|", "$(id)", "; id", "`id`"])).stdout).toBe("$(id)|; id|`id`|");
    expect((await look(["env"])).stdout.split("\n").filter((line) => line.startsWith("VITEST"))).toEqual([]);
  });
});
