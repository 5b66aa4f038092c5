/** Left-overs of an online upgrade by hand: found by check, mended by a plan, nothing else touched. */
import { describe, expect, it } from "vitest";
import type { Plan } from "#coordinator/domain/plan.ts";
import { checkCluster } from "#coordinator/playbooks/kwdb/checks.ts";
import { planMend } from "#coordinator/playbooks/kwdb/mend.ts";
import { walk } from "../../domain/paper/walk.ts";
import { at, type Changed, factsOf, inputOf, is, rows } from "./cluster.ts";
import { inputIn } from "./contained.ts";

const markedRows = rows().map((row) =>
  row.id === 2 ? { ...row, isAvailable: false, upgrading: true } : row,
);
const marked = {
  db1: { nodes: is(markedRows) },
  db2: { nodes: is(markedRows) },
  db3: { nodes: is(markedRows) },
};
const flagged = { db3: { upgradeCompleteFlag: is(true) } };
const dead = (value: string) => ({ settings: is({ "server.time_until_store_dead": value }) });
const allDead = (value: string) => ({ db1: dead(value), db2: dead(value), db3: dead(value) });

const made = (facts: NonNullable<Changed["facts"]>, mend: Record<string, string> = {}) =>
  planMend(inputOf({ facts, to: "", wish: { mend } }));
function planned(...given: Parameters<typeof made>): Plan {
  const plan = made(...given);
  if (!plan.ok) throw new Error(plan.failure.code);
  return plan.value;
}
const refused = (...given: Parameters<typeof made>) => {
  const plan = made(...given);
  return plan.ok ? "planned" : plan.failure.code;
};
const stepsOf = (plan: Plan) =>
  plan.stages.map((stage) =>
    stage.kind === "node" ? `${stage.id}: ${stage.program.steps.map(({ id }) => id).join(" ")}` : "",
  );
const deadIn = (plan: Plan) =>
  plan.stages.flatMap((stage) =>
    stage.kind === "node"
      ? stage.program.steps.filter(({ id }) => id === "set-store-dead").map(({ call }) => call.args)
      : [],
  );

describe("the mending of left-overs", () => {
  const elsewhere = (
    facts: NonNullable<Changed["facts"]>,
    form: "compose-service" | "compose" | "compiled",
  ) =>
    planMend(
      form === "compiled"
        ? inputOf({ facts, to: "", wish: { mend: {} }, cluster: { deployment: form } })
        : inputIn({
            form,
            topology: form === "compose" ? "standalone" : "multi-replica",
            facts,
            to: "",
            wish: { mend: {} },
          }),
    );

  it.each(["compose", "compiled"] as const)(
    "of what deploy.sh does not start (%s) is of the setting alone",
    (form) => {
      const flaggedFirst = { db1: { upgradeCompleteFlag: is(true) } };
      expect(elsewhere(flaggedFirst, form)).toMatchObject({ failure: { code: "kwdb.mend-not-served" } });
      const plan = elsewhere(allDead("03:00:00"), form);
      if (!plan.ok) throw new Error(plan.failure.code);
      expect(stepsOf(plan.value)).toEqual(["mend-setting: set-store-dead"]);
    },
  );

  it("of containers that deploy.sh starts goes by its compose file", () => {
    const [mark, flag] = [elsewhere(marked, "compose-service"), elsewhere(flagged, "compose-service")];
    if (!mark.ok || !flag.ok) throw new Error("no plan");
    expect(stepsOf(mark.value)).toEqual(stepsOf(planned(marked)));
    expect(JSON.stringify(mark.value.stages)).toContain("in docker-compose.yml");
    expect(JSON.stringify(mark.value.stages)).not.toContain("kaiwudb_env");
    expect(walk(mark.value).state.end).toBe("done");
    expect(stepsOf(flag.value)).toEqual(["mend-db3: clear-upgrade-flag"]);
  });

  it("starts a node that is marked once with the flag, proves it, and takes the flag out again", async () => {
    const plan = planned(marked);
    expect(stepsOf(plan)).toEqual([
      "mend-db2: stop prove-stopped add-upgrade-flag start prove-ready prove-seen clear-upgrade-flag set-store-dead",
    ]);
    expect(plan).toMatchObject({
      method: "mend",
      from: "3.0.0",
      to: "3.0.0",
      warnings: ["warning.kwdb.mend-restarts"],
    });
    expect(plan.stages[0]).toMatchObject({
      before: [{ gate: "kwdb.others-healthy", args: { node: "db2" } }],
    });
    expect(walk(plan).state.end).toBe("done");
    const golden = `${JSON.stringify({ ...plan, boundTo: {} }, null, 2)}\n`;
    await expect(golden).toMatchFileSnapshot(
      "../../../../fixtures/coordinator/playbooks/kwdb/mend-marked.json",
    );
  });

  it("does not stop a node whose files are not those of its process: it would not come back", () => {
    const absent = { binary: { at, unknown: { code: "kwdb.binary-missing", facts: {} } } } as const;
    const newer = { binary: factsOf("db2", "3.1.0").binary };
    for (const half of [absent, newer])
      expect(refused({ ...marked, db2: { ...marked.db2, ...half } })).toBe("kwdb.mend-half-way");
  });

  it("starts a node again at its own version, and lets the others have theirs", () => {
    const nodes = is(markedRows.map((row) => (row.id === 2 ? { ...row, build: "3.1.0" } : row)));
    const plan = planned({
      db1: { nodes },
      db2: { ...factsOf("db2", "3.1.0"), nodes },
      db3: { nodes },
    });
    expect(plan).toMatchObject({ from: "3.1.0", to: "3.1.0" });
    expect(plan.stages[0]).toMatchObject({ before: [{ args: { versions: "3.0.0,3.1.0" } }] });
  });

  it("puts a customised setting back after the start that would lose it", () => {
    expect(
      deadIn(planned({ db1: { ...marked.db1, ...dead("00:45:00") }, db2: marked.db2, db3: marked.db3 })),
    ).toEqual([{ to: "2700s", was: "2700s,3h,30m" }]);
  });

  it("asks what the setting was where it is left at three hours, unless it is named", () => {
    const asked = planned(allDead("03:00:00"));
    expect(asked.asks).toEqual(["kwdb.store-dead-wanted"]);
    expect(deadIn(asked)).toEqual([{ to: "30m", was: "10800s,3h,30m" }]);
    const named = planned(allDead("03:00:00"), { "store-dead": "45m" });
    expect(named.asks).toEqual([]);
    expect(deadIn(named)).toEqual([{ to: "45m", was: "10800s,3h,30m" }]);
    expect(stepsOf(named)).toEqual(["mend-setting: set-store-dead"]);
  });

  it("takes a left-over flag out without a restart", () => {
    expect(stepsOf(planned(flagged))).toEqual(["mend-db3: clear-upgrade-flag"]);
  });

  it("is refused where there is nothing, where several are marked, and where a value is none", () => {
    expect(refused({})).toBe("kwdb.nothing-to-mend");
    const both = rows().map((row) => ({ ...row, upgrading: row.id < 3 }));
    expect(refused({ db1: { nodes: is(both) } })).toBe("kwdb.mend-several");
    expect(refused(flagged, { "store-dead": "soon" })).toBe("kwdb.mend-value");
  });
});

describe("check", () => {
  const statusOf = (facts: NonNullable<Changed["facts"]>, id: string, node?: string) =>
    checkCluster(inputOf({ facts })).find((check) => check.id === id && check.node === node)?.status;

  it("finds all three left-overs", () => {
    expect(statusOf(marked, "kwdb.left-overs", "db2")).toBe("ko");
    expect(statusOf(marked, "kwdb.left-overs", "db1")).toBe("ok");
    expect(statusOf(flagged, "kwdb.left-overs", "db3")).toBe("ko");
    expect(statusOf(allDead("03:00:00"), "kwdb.store-dead-left")).toBe("warn");
    expect(statusOf(allDead("02:59:59"), "kwdb.store-dead-left")).toBe("ok");
  });

  it("says of a half-way node what it is at, though nothing runs there", () => {
    const gone = {
      ...factsOf("db2", "3.0.0"),
      binary: { at, unknown: { code: "kwdb.binary-missing", facts: {} } },
      unit: is({ loaded: true, active: "failed", sub: "failed", mainPid: 0, needsReload: false }),
      running: { at, unknown: { code: "kwdb.not-running", facts: {} } },
    };
    const found = checkCluster(inputOf({ facts: { db2: gone } })).find(
      ({ id, node }) => id === "kwdb.versions-agree" && node === "db2",
    );
    expect(found).toMatchObject({ status: "ko", reason: { code: "evidence.kwdb.packages-gone" } });
  });
});
