/** The first thing anyone runs: the demo as a user types it, from its first word to what it leaves behind. */
import { describe, expect, it } from "vitest";
import { exitCodes } from "#coordinator/cli/exit-code.ts";
import { leavesNothing, playDemo } from "./harness/demo.ts";
import { bundle } from "./harness/preface.ts";

const dist = bundle();

/** What the last `node list` showed: node → its line. */
function lastTable(screen: string): ReadonlyMap<string, string> {
  const text = screen.slice(screen.lastIndexOf("$ lockkeeper node list"));
  const lines = text.split("\n").filter((line) => /\bdb\d\b/.test(line));
  return new Map(lines.map((line) => [/\bdb\d\b/.exec(line)?.[0] ?? "", line]));
}

describe("lockkeeper demo", () => {
  it("brings three nodes to the new version, one after the other, and leaves nothing", async () => {
    const demo = await playDemo(dist());
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
    const demo = await playDemo(dist(), "--fail-at", "db2");
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
    const demo = await playDemo(dist());
    await expect.poll(demo.screen, { timeout: 120_000 }).toContain("$ lockkeeper apply");
    demo.child.kill("SIGINT");
    expect(await demo.code).toBe(130);
    await leavesNothing(demo);
  });
});
