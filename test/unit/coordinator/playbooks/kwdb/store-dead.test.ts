/** What a cluster does while a node is away for longer than it waits for one. */
import { describe, expect, it } from "vitest";
import { checkCluster } from "#coordinator/playbooks/kwdb/checks.ts";
import { planUpgrade } from "#coordinator/playbooks/kwdb/plan.ts";
import { type Changed, inputOf, is, names, unknown } from "./cluster.ts";

const allowed = { "archive-data": "true", "raise-store-dead": "true" };

/** Data that is archived and proven in so many minutes, over the quarter of an hour of the change itself. */
function away(minutes: number, settings: Readonly<Record<string, string>> = allowed): Changed {
  const archive = is({ folder: "/backup", availableBytes: 1e15, dataBytes: minutes * 60 * 50e6 });
  const facts = { archive, archiveRate: is({ bytesPerSecond: 100e6 }) };
  return { cluster: { settings }, facts: Object.fromEntries(names.map((name) => [name, facts])) };
}

function planOf(change: Changed) {
  const plan = planUpgrade(inputOf(change));
  if (!plan.ok) throw new Error(plan.failure.code);
  return plan.value;
}

function nodeSteps(change: Changed) {
  return planOf(change).stages.flatMap((stage) => (stage.kind === "node" ? [stage.program.steps] : []));
}

const budget = (change: Changed) =>
  checkCluster(inputOf(change)).find(({ id }) => id === "kwdb.outage-budget");

describe("server.time_until_store_dead", () => {
  it("is raised before the drain and put back when the node is seen again, on each node", () => {
    const programs = nodeSteps(away(60));
    expect(programs).toHaveLength(3);
    for (const steps of programs) {
      const ids = steps.map(({ id }) => id);
      expect(ids.indexOf("raise-store-dead")).toBe(ids.indexOf("drain") - 1);
      expect(ids.slice(-2)).toEqual(["prove-seen", "put-back-store-dead"]);
      expect(steps.find(({ id }) => id === "raise-store-dead")).toMatchObject({
        class: "reversible",
        mayStopAfter: false,
        call: { verb: "kwdb.raise-store-dead", args: { to: "2h", was: "00:30:00" } },
        undo: { verb: "kwdb.put-back-store-dead", args: {} },
      });
    }
    expect(planOf(away(60)).warnings).toContain("warning.kwdb.store-dead-raised");
    expect(budget(away(60))).toMatchObject({ status: "warn", facts: { minutes: "75", raised: "2h" } });
  });

  it("is asked for at the end by two nodes: one may have been skipped", () => {
    const finish = planOf(away(60)).stages.find(({ id }) => id === "finish");
    if (finish?.kind !== "finish") throw new Error("no finish");
    const asking = finish.programs.filter(({ steps }) => steps.some(({ id }) => id === "report-store-dead"));
    expect(asking.map(({ node }) => node)).toEqual(["db1", "db3"]);
  });

  it.each([
    [16, "1h"],
    [26, "2h"],
    [200, "6h"],
    [1_800, "48h"],
  ])("for %i minutes of archive is raised to %s, in coarse steps", (minutes, to) => {
    expect(nodeSteps(away(minutes))[0]?.find(({ id }) => id === "raise-store-dead")?.call.args["to"]).toBe(
      to,
    );
  });

  it.each<readonly [string, string, Changed]>([
    ["it is not needed", "ok", away(10)],
    ["nobody has allowed it", "ko", away(60, { "archive-data": "true" })],
    ["not even two days are enough", "ko", away(3_000)],
  ])("stays as it is where %s", (_, status, change) => {
    expect(
      nodeSteps(change)
        .flat()
        .map(({ id }) => id),
    ).not.toContain("raise-store-dead");
    expect(budget(change)?.status).toBe(status);
  });

  it("stays as it is where one node's is not known, and where all are stopped at once", () => {
    const silent = away(60);
    const facts = { ...silent.facts, db2: { ...silent.facts?.db2, settings: unknown } };
    expect(budget({ ...silent, facts })?.status).toBe("ko");
    expect(JSON.stringify(planOf({ ...silent, facts }).stages)).not.toContain("store-dead");
    const stopped = { ...away(60), wish: { strategy: "offline" } } as Changed;
    expect(JSON.stringify(planOf(stopped).stages)).not.toContain("store-dead");
    expect(budget(stopped)).toBeUndefined();
  });
});

describe("a setting that an earlier upgrade has left raised", () => {
  const left = (was: string | null, shown: string): Changed => ({
    facts: {
      db2: {
        storeDeadRaised: is({ rollout: "r0", was, raisedTo: "3h" }),
        settings: is({ "server.time_until_store_dead": shown }),
      },
    },
  });
  const found = (change: Changed) =>
    checkCluster(inputOf(change)).find(({ id, node }) => id === "kwdb.store-dead-raised" && node === "db2");

  it("is told, with the command that puts it back", () => {
    expect(found(left("45m0s", "03:00:00"))).toMatchObject({
      status: "warn",
      facts: { command: "SET CLUSTER SETTING server.time_until_store_dead = '45m0s'" },
    });
    expect(found(left(null, "3h0m0s"))?.facts["command"]).toMatch(/^RESET /);
  });

  it("is none where somebody has set it since", () => {
    expect(found(left("45m0s", "01:00:00"))?.status).toBe("ok");
    expect(found({ facts: { db2: { storeDeadRaised: is(null) } } })?.status).toBe("ok");
  });
});
