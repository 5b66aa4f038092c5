import { describe, expect, it } from "vitest";
import { postgresql } from "#coordinator/playbooks/postgresql.ts";
import { inputOf, type Sides, unknown } from "./pair.ts";

const methods = (sides: Sides) => postgresql.ways?.(inputOf(sides)).map(({ method }) => method);

describe("the ways into another server", () => {
  it("are told where both sides are known, and before the other one is named", () => {
    expect(methods({})).toEqual(["logical-replication"]);
    expect(methods({ into: false })).toEqual(["logical-replication"]);
  });

  it.each<readonly [string, Sides]>([
    ["no agent has ever reported", { source: { silent: true }, target: { silent: true } }],
    ["the old server's agent has not", { source: { silent: true } }],
    ["the new server's agent has not", { target: { silent: true } }],
    ["an agent cannot get into its server", { target: { facts: { server: unknown } } }],
  ])("are not told where %s: nobody knows of any", (_, sides) => {
    expect(methods(sides)).toEqual([]);
  });
});
