import { describe, expect, it } from "vitest";
import { exitCodeOf } from "#coordinator/cli/exit-code.ts";

describe("exitCodeOf", () => {
  it.each([
    ["claim.held", 6],
    ["claim.binds", 6],
    ["lock.entered", 6],
    ["plan.drift", 9],
    ["window.closed", 7],
    ["freeze.set", 7],
    ["node.unreachable", 4],
    ["coordinator.unreachable", 11],
    ["inventory.unreadable", 2],
    ["cli.nobody-to-ask", 2],
    ["internal.unexpected", 1],
    ["kwdb.same-version", 3],
    ["check.refused", 3],
  ] as const)("%s ends with %i", (code, exit) => {
    expect(exitCodeOf(code)).toBe(exit);
  });
});
