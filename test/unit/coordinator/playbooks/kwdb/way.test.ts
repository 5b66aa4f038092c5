/** What a person is offered to choose from, and that the plan takes what is named as taken. */
import { describe, expect, it } from "vitest";
import { planUpgrade } from "#coordinator/playbooks/kwdb/plan.ts";
import { openWays, wayOf } from "#coordinator/playbooks/kwdb/way.ts";
import { render } from "#proto/catalogue/render.ts";
import { type Changed, inputOf, is } from "./cluster.ts";

const told = (changed: Changed) =>
  openWays(inputOf(changed)).map(
    ({ strategy, method, isDefault }) => `${strategy} by ${method}${isDefault ? ", default" : ""}`,
  );

describe("the ways that are open", () => {
  it.each<readonly [string, Changed, readonly string[]]>([
    ["multi-replica", {}, ["rolling by script, default", "offline by script"]],
    ["single-replica", { topology: "single-replica" }, ["offline by script, default"]],
    ["standalone", { topology: "standalone" }, ["offline by script, default"]],
    [
      "whatever is wished for",
      { wish: { strategy: "offline" } },
      ["rolling by script, default", "offline by script"],
    ],
    ["a hop that may not be made", { from: "2.2.0", to: "3.0.0" }, []],
    ["a version that is not known", { facts: { db2: null } }, []],
    [
      "containers of the operator's own in a cluster",
      {
        cluster: { deployment: "container" },
        facts: Object.fromEntries(["db1", "db2", "db3"].map((name) => [name, { form: is("compose") }])),
      },
      [],
    ],
    ["a deployment that no method serves", { cluster: { deployment: "by-hand" } }, []],
  ])("%s", (_, changed, expected) => expect(told(changed)).toEqual(expected));

  it.each([{}, { topology: "single-replica" }, { topology: "standalone" }] as const)(
    "the default of %j is what a plan takes that is told nothing",
    (changed) => {
      const input = inputOf(changed);
      const plan = planUpgrade(input);
      const [first] = openWays(input);
      expect(plan.ok && [plan.value.strategy, plan.value.method]).toEqual([first?.strategy, first?.method]);
    },
  );

  it("says in words for how long nobody is served", () => {
    const [rolling, offline] = openWays(inputOf());
    expect(rolling && render(rolling.downtime).says).toContain("none of the cluster");
    expect(offline && render(offline.downtime).says).toBe("the whole cluster, at most 45 minutes (3 nodes)");
  });
});

describe("a way that is not open", () => {
  it("is refused with the one that is", () => {
    const way = wayOf(inputOf({ wish: { method: "export-import" } }));
    expect(way).toMatchObject({
      ok: false,
      failure: { code: "kwdb.method-not-served", facts: { open: "script" } },
    });
  });
});
