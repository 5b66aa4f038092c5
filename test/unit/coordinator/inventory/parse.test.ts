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
      'fleet.yaml:9:26: there is no setting "dwel" here',
    );
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
