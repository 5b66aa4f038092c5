/** The demo of PostgreSQL as a user types it: there, back, and where it cannot be played. */
import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";
import { exitCodes } from "#coordinator/cli/exit-code.ts";
import { leavesNothing, type Played, playDemo, playDemoIn } from "./harness/demo.ts";
import { bundle, onlyFull } from "./harness/preface.ts";

const skipUnlessFull = onlyFull("postgres.test.ts goes the same ways in make test");

const dist = bundle();

/** What stands behind the words in the proof at the end. */
function proven({ screen }: Played): Readonly<Record<string, string>> {
  const text = screen().slice(screen().lastIndexOf("Every row that the application was promised"));
  return Object.fromEntries([...text.matchAll(/^ {2}([a-z ,]+): (.*)$/gim)].map(([, what, n]) => [what, n]));
}

const nothingWrong = { lost: "0", doubled: "0", "changes lost": "0", "never accepted, but there": "0" };

describe("lockkeeper demo postgresql", () => {
  it("takes a database from 15 to 18 under a writer, proves its rows, and leaves nothing", async (context) => {
    skipUnlessFull(context);
    const fromMs = performance.now();
    const demo = await playDemo(dist(), "postgresql");
    expect(await demo.code, demo.screen()).toBe(exitCodes.done);
    const tookMs = Math.round(performance.now() - fromMs);
    console.log(`the demo took ${tookMs} ms`);
    // alone under a minute; other tests run beside it
    expect(tookMs).toBeLessThan(90_000);
    for (const command of ["snapshot take", "check", "plan", "apply", "approve", "snapshot diff"])
      expect(demo.screen()).toContain(`$ lockkeeper ${command}`);
    expect(demo.screen()).toMatch(/bytes are copied|copy-1: done/);
    expect(demo.screen()).toMatch(/from its last row on PostgreSQL 15 to its first on 18, \d+ ms passed/);
    expect(demo.screen()).toContain("The next invoice on PostgreSQL 18 is 46.");
    expect(proven(demo)).toMatchObject(nothingWrong);
    await leavesNothing(demo);
  });

  it("--back: brings the rows that the new server has taken to the old one", async (context) => {
    skipUnlessFull(context);
    const demo = await playDemo(dist(), "postgresql", "--back");
    expect(await demo.code, demo.screen()).toBe(exitCodes.done);
    expect(demo.screen()).toContain("$ lockkeeper plan --back orders -o back.json");
    expect(demo.screen()).toContain("The next invoice on PostgreSQL 15 is 49.");
    expect(proven(demo)).toMatchObject(nothingWrong);
    const [, byNew = "0"] = /by PostgreSQL 15, (\d+) by 18/.exec(proven(demo)["rows accepted"] ?? "") ?? [];
    expect(Number(byNew)).toBeGreaterThan(30);
    await leavesNothing(demo);
  });

  it("interrupted while its servers start: ends at once and leaves nothing", async () => {
    const demo = await playDemo(dist(), "postgresql");
    await expect.poll(demo.made, { timeout: 60_000 }).not.toEqual([]);
    demo.child.kill("SIGINT");
    expect(await demo.code).toBe(130);
    await leavesNothing(demo);
  });

  it("says in one line what is missing, and ends with 2", async () => {
    const demo = await playDemoIn(tmpdir(), dist(), "postgresql");
    expect(await demo.code).toBe(exitCodes.usage);
    expect(demo.screen().trim().split("\n")).toEqual([
      expect.stringContaining("PostgreSQL 15 and 18 are not here"),
    ]);
    await leavesNothing(demo);
  });

  it("takes no option of the other demo", async () => {
    const demo = await playDemo(dist(), "postgresql", "--fail-at", "db1");
    expect(await demo.code).toBe(exitCodes.usage);
    expect(demo.screen()).toContain("belongs to the demo of kwdb");
  });
});
