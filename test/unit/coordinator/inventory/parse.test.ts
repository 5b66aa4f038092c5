import { describe, expect, it } from "vitest";
import { parseInventory } from "#coordinator/inventory/parse.ts";
import { complaintsText } from "#proto/common/settings-file.ts";

const good = `clusters:
  账单:
    engine: kwdb
    topology: multi-replica
    nodes:
      db1: { address: 10.0.0.11 }
      db2: { address: 10.0.0.12 }
      db3: { address: 10.0.0.13 }
    gates: { every: 10s, dwell: 30s }
`;

function complaintsOf(text: string): string {
  const parsed = parseInventory(text, "fleet.yaml");
  return parsed.ok ? "" : complaintsText(parsed.complaints);
}

describe("parseInventory", () => {
  it("reads a cluster with a Chinese name and fills in the defaults", () => {
    const parsed = parseInventory(good, "fleet.yaml");
    expect(parsed).toMatchObject({
      ok: true,
      value: {
        clusters: [
          {
            name: "账单",
            deployment: "script",
            gates: { everyMs: 10_000, dwellMs: 30_000, limitMs: 1_800_000 },
            windows: [],
          },
        ],
      },
    });
  });

  it("names the place of a misspelt key", () => {
    expect(complaintsOf(good.replace("dwell:", "dwel:"))).toBe(
      'fleet.yaml:9:26: there is no setting "dwel" here; did you mean "dwell"?',
    );
  });

  it.each([
    ["engine: kwdb", "engine: kwbd", 'engine: must be one of kwdb, postgresql; did you mean "kwdb"?'],
    ["engine: kwdb", "engine: oracle", "engine: must be one of kwdb, postgresql"],
    [
      "topology: multi-replica",
      "topology: multi_replica",
      'topology: must be one of multi-replica, single-replica, standalone; did you mean "multi-replica"?',
    ],
    [
      "topology: multi-replica",
      "topology: multi-replica\n    deployment: scirpt",
      'deployment: must be one of script, container, compiled; did you mean "script"?',
    ],
    ["engine: kwdb", "engine: 7", "engine: must be one of kwdb, postgresql"],
    ["dwell: 30s", "dwell: 30", "gates.dwell: must be a text, not 30"],
    ["    gates:", "    windows: 22:00-05:00\n    gates:", 'windows: must be a list, not "22:00-05:00"'],
    ["    gates:", "    freeze: ''\n    gates:", "freeze: must not be empty"],
    ["    gates:", "    settings: { old: [1] }\n    gates:", "settings.old: must be a text, a number"],
    ["      db1:", "      -db1:", "nodes.-db1: a name is up to 63 letters"],
    [/nodes:[\s\S]*?gates/, "nodes: [db1, db2]\n    gates", "nodes: must be names with values, not a list"],
  ])("says in words what is wrong with %s written as %s", (from, to, says) => {
    const complaints = complaintsOf(good.replace(from, to));
    expect(complaints).toContain(`clusters.账单.${says}`);
    expect(complaints).not.toMatch(/Invalid|expected|received/);
  });

  it("knows the misspelt setting also where the right one is then missing", () => {
    expect(complaintsOf(good.replace("engine:", "enigne:"))).toContain(
      '3:5: there is no setting "enigne" here; did you mean "engine"?',
    );
    expect(complaintsOf(good.replace("clusters:", "cluster:"))).toContain(
      'fleet.yaml:1:1: there is no setting "cluster" here; did you mean "clusters"?',
    );
    expect(complaintsOf(good.replace("address: 10.0.0.11", "adress: 10.0.0.11"))).toContain(
      'there is no setting "adress" here; did you mean "address"?',
    );
  });

  it("says of a file that is no inventory at all what it must be", () => {
    expect(complaintsOf("- db1\n- db2\n")).toBe(
      "fleet.yaml:1:1: file: must be names with values, not a list",
    );
    expect(complaintsOf("")).toBe('fleet.yaml:1:1: "clusters" is missing');
  });

  it("names the place of a node declared twice", () => {
    expect(complaintsOf(good.replace("db2:", "db1:"))).toMatch(
      /^fleet\.yaml:7:\d+: this name stands here twice/,
    );
  });

  it("refuses one address under two names", () => {
    expect(complaintsOf(good.replace("10.0.0.12", "10.0.0.11"))).toContain(
      'fleet.yaml:7:7: clusters.账单.nodes.db2: address "10.0.0.11" is already in cluster "账单"',
    );
  });

  it("says what is missing and where it should stand", () => {
    expect(complaintsOf(good.replace("    engine: kwdb\n", ""))).toBe(
      'fleet.yaml:2:3: "clusters.账单.engine" is missing',
    );
  });

  it.each([
    ["a duration without a unit", "every: 10s", "every: 10"],
    ["an engine that nobody knows", "engine: kwdb", "engine: oracle"],
    ["a cluster without nodes", /nodes:[\s\S]*?gates/, "nodes: {}\n    gates"],
    ["a time zone that is none", "    nodes:", '    windows: ["22:00-05:00 Asia/Shangai"]\n    nodes:'],
    ["a port that is none", "10.0.0.12", "10.0.0.12:99999"],
    ["text that is no YAML", "clusters:", "clusters: ["],
  ])("refuses %s with a place", (_, from, to) => {
    expect(complaintsOf(good.replace(from, to))).toMatch(/^fleet\.yaml:\d+:\d+: \S/);
  });
});
