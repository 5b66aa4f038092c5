import { describe, expect, it } from "vitest";
import { renderChecks } from "#coordinator/cli/render/checks.ts";
import { plain } from "#coordinator/cli/render/style.ts";
import { agentChecks, agentsElsewhere } from "#coordinator/engine/orders/agents-here.ts";

const nodes = [
  { name: "db1", address: "10.0.0.11:26257" },
  { name: "db2", address: "10.0.0.12" },
];

function statusesOf(here: readonly string[], strangers: readonly { name: string; from: string }[] = []) {
  const checks = agentChecks({ nodes, isHere: (node) => here.includes(node), strangers });
  return Object.fromEntries(checks.map((check) => [check.id, check]));
}

describe("which agents are here", () => {
  it("is well when all of the inventory are, and no other", () => {
    const checks = statusesOf(["db1", "db2"]);
    expect(checks["agents.all-here"]).toMatchObject({ status: "ok", facts: { here: "2", all: "2" } });
    expect(checks["agents.all-known"]).toMatchObject({ status: "ok" });
  });

  it("warns where one is away, refuses where all are, and names each with its address", () => {
    expect(statusesOf(["db1"])["agents.all-here"]).toMatchObject({
      status: "warn",
      facts: { nodes: "db2 (10.0.0.12)" },
    });
    const none = statusesOf([])["agents.all-here"];
    expect(none).toMatchObject({ status: "ko", facts: { nodes: "db1 (10.0.0.11:26257), db2 (10.0.0.12)" } });
    expect(renderChecks(none === undefined ? [] : [none], plain)).toMatch(
      /every node of the inventory has its agent here \(0 of 2\) \.+ KO\n.*db1 \(10\.0\.0\.11:26257\)[\s\S]*hint: on each of these hosts: systemctl enable --now lockkeeper-agent/,
    );
  });

  it("says what to do first where there is no inventory", () => {
    const [check] = agentChecks({ nodes: [], isHere: () => false, strangers: [] });
    expect(check?.status).toBe("not-applicable");
    expect(renderChecks(check === undefined ? [] : [check], plain)).toContain("lockkeeper cluster discover");
  });

  it.each<readonly [string, { name: string; from: string }, readonly string[], string]>([
    ["by its address", { name: "node-a", from: "10.0.0.11" }, ["db2"], "node-a from 10.0.0.11 (perhaps db1)"],
    ["by its name", { name: "dbl", from: "10.9.9.9" }, ["db2"], "dbl from 10.9.9.9 (perhaps db1)"],
    ["as nobody", { name: "web7", from: "10.9.9.9" }, ["db2"], "web7 from 10.9.9.9"],
    [
      "as nobody where none is missing",
      { name: "dbl", from: "10.0.0.11" },
      ["db1", "db2"],
      "dbl from 10.0.0.11",
    ],
  ])("an agent under another name is told %s, with the cure", (_, stranger, here, agents) => {
    const check = statusesOf(here, [stranger])["agents.all-known"];
    expect(check).toMatchObject({ status: "warn", facts: { agents } });
    const text = renderChecks(check === undefined ? [] : [check], plain);
    expect(text).toContain(`put ${stranger.name} into the inventory file and apply it`);
    expect(text).toContain("`node:` in /etc/lockkeeper/agent.yaml");
  });

  it("is not for a coordinator that does not lead to say", () => {
    expect(agentsElsewhere("10.0.0.5:7440").map(({ status }) => status)).toEqual([
      "not-applicable",
      "not-applicable",
    ]);
    expect(renderChecks(agentsElsewhere("10.0.0.5:7440"), plain)).toContain("10.0.0.5:7440");
  });
});
