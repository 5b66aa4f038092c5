import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { counterparts, renderCounterparts } from "#coordinator/cli/render/pgrepup.ts";
import { complaint } from "#test/contract/documents/parsing.ts";

describe("help pgrepup", () => {
  it("has every command of pgrepup, in the order in which one comes to it", () => {
    expect(counterparts.map(({ pgrepup }) => pgrepup)).toEqual([
      "config",
      "check",
      "fix",
      "setup",
      "start",
      "status",
      "stop",
      "uninstall",
    ]);
  });

  it.each(counterparts.flatMap(({ ours }) => ours))("%s is taken by its parser", (line) => {
    expect(complaint(line)).toBeUndefined();
  });

  it("promises of the schema, the sequences and the way back what the page does", () => {
    const [, does = "", late = "", other = "", back = ""] =
      /Carried over: (.*)\n(.*)\n(.*)\n(.*)\n/.exec(renderCounterparts()) ?? [];
    const page = readFileSync("docs/postgresql.md", "utf8");
    expect(does).toMatch(
      /sequences, exactly; large objects and rows of unlogged tables, up to carry-limit-bytes/,
    );
    expect(page).toMatch(/^\| `carry-limit-bytes`/m);
    expect(late).toMatch(/tables and columns that come during the copy/);
    expect(page).toMatch(/^\| a table, a partition +\| made from[\s\S]*^\| a column +\| added/m);
    expect(other).toContain("make the same on the new server, then lockkeeper retry");
    expect(page).toMatch(
      /^\| anything else +\| named .*make the same on the new server, then `lockkeeper retry`/m,
    );
    expect(back).toContain("lockkeeper plan --back");
  });

  it("fits a terminal of 120 columns", () => {
    expect(
      Math.max(
        ...renderCounterparts()
          .split("\n")
          .map(({ length }) => length),
      ),
    ).toBeLessThanOrEqual(120);
  });

  it.each(["help pgrepup", "help plan", "help cluster apply", "help"])("lockkeeper %s is taken", (words) => {
    expect(complaint(`lockkeeper ${words}`)).toBeUndefined();
  });
});
