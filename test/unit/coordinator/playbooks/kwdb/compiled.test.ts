/** Plans and checks of a cluster that was compiled from source. */
import { describe, expect, it } from "vitest";
import type { Plan } from "#coordinator/domain/plan.ts";
import { checkCluster } from "#coordinator/playbooks/kwdb/checks.ts";
import { planUpgrade } from "#coordinator/playbooks/kwdb/plan.ts";
import { openWays } from "#coordinator/playbooks/kwdb/way.ts";
import { walk } from "../../domain/paper/walk.ts";
import { type Changed, inputOf, is, unknown } from "./cluster.ts";
import { build, compiled, start } from "./from-source.ts";

function planOf(changed: Changed): Plan {
  const made = planUpgrade(inputOf(changed));
  if (!made.ok) throw new Error(made.failure.code);
  return made.value;
}

const golden = (name: string) => `../../../../fixtures/coordinator/playbooks/kwdb/${name}.json`;

describe("the plan of a build from source", () => {
  it.each<readonly [string, Changed]>([
    [
      "compiled-rolling-3.0.0-to-3.1.0",
      compiled({ start: is({ ...start, unit: "my-kwdb" }), unitSha256: is("c") }),
    ],
    ["compiled-standalone-3.0.0-to-3.1.0", compiled({}, { topology: "standalone" })],
  ])("%s is the documented procedure", async (name, changed) => {
    await expect(`${JSON.stringify(planOf(changed), null, 2)}\n`).toMatchFileSnapshot(golden(name));
  });

  it.each(["multi-replica", "single-replica", "standalone"] as const)(
    "of a %s cluster is walked to its end",
    (topology) => {
      const { state } = walk(planOf(compiled({}, { topology })));
      expect(state.end).toBe("done");
      expect(state.lock).toBeUndefined();
    },
  );

  it("keeps the start and lays the build before anything stops, and can go back until the new build is started", () => {
    const plan = planOf(compiled({}, { topology: "standalone" }));
    const [, node] = plan.stages;
    if (node?.kind !== "node") throw new Error("no node stage");
    const ids = node.program.steps.map(({ id }) => id);
    expect(ids.indexOf("keep-start")).toBeLessThan(ids.indexOf("stop"));
    expect(ids.indexOf("lay-build")).toBeLessThan(ids.indexOf("stop"));
    expect(plan.pointOfNoReturn).toBe("node-db1/start");
    const irreversible = node.program.steps.filter((each) => each.class === "irreversible");
    expect(irreversible.map(({ id }) => id)).toEqual(["start"]);
    expect(node.program.steps.find(({ id }) => id === "exchange-build")?.undo?.verb).toBe(
      "kwdb.exchange-build-back",
    );
  });

  it("stands among the ways, with how it leads back", () => {
    expect(
      openWays(inputOf(compiled())).map(({ strategy, method, wayBack }) => [strategy, method, wayBack.code]),
    ).toEqual([
      ["rolling", "compiled", "way-back.kwdb.kept-build"],
      ["offline", "compiled", "way-back.kwdb.kept-build"],
    ]);
  });

  it("is bound to how each node is started", () => {
    const before = planOf(compiled()).boundTo;
    const after = planOf(compiled({ configurationSha256: is({ "start/argv": "other" }) })).boundTo;
    expect(after).not.toEqual(before);
  });
});

describe("the checks of a build from source", () => {
  const statusOf = (changed: Changed, id: string) =>
    checkCluster(inputOf(changed)).find((each) => each.id === `kwdb.${id}` && each.node === "db2")?.status;

  it("are content with a good one, ask for no sudo and no package of before, and for no word but the backup", () => {
    const results = checkCluster(inputOf(compiled({}, { to: "3.0.1" })));
    expect(results.filter(({ status }) => status !== "ok").map(({ id }) => id)).toEqual(["kwdb.backup"]);
    for (const id of ["sudo", "old-package"]) expect(statusOf(compiled(), id)).toBeUndefined();
  });

  it.each<readonly [string, object]>([
    ["program-folder", { build: is({ ...build, kind: "link" }) }],
    ["program-folder", { build: is({ ...build, foreign: ["data"] }) }],
    ["program-start", { start: is({ ...start, executable: null }) }],
    ["program-start", { start: is({ ...start, executable: "/usr/bin/bash" }) }],
    ["program-libraries", { build: is({ ...build, missingLibraries: ["bin/kwbase: libgeos.so"] }) }],
    ["program-room", { build: is({ ...build, availableBytes: 700 * 1024 ** 2 }) }],
    ["deployed-as-declared", { form: is("script") }],
  ])("%s refuses %j", (id, over) => {
    expect(statusOf(compiled(over), id)).toBe("ko");
  });

  it.each(["program-folder", "program-start", "program-libraries", "program-room"])(
    "%s knows what it does not know",
    (id) => {
      expect(statusOf(compiled({ build: unknown, start: unknown }), id)).toBe("unknown");
      expect(statusOf(compiled({ build: undefined, start: undefined }), id)).toBe("unknown");
    },
  );

  it("to 3.2 ask for no word about the installer", () => {
    const ids = (changed: Changed) => checkCluster(inputOf(changed)).map(({ id }) => id);
    expect(ids({ to: "3.2.0", from: "3.1.0" })).toContain("kwdb.installer-of-3-2");
    expect(ids(compiled({}, { to: "3.2.0", from: "3.1.0" }))).not.toContain("kwdb.installer-of-3-2");
  });
});
