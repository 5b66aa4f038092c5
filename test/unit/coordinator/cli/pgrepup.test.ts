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
