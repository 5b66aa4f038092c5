import { describe, expect, it } from "vitest";
import { countChecks, renderChecks } from "#coordinator/cli/render/checks.ts";
import { plain } from "#coordinator/cli/render/style.ts";
import type { CheckResult } from "#coordinator/domain/check.ts";
import { checkCluster } from "#coordinator/playbooks/kwdb/checks.ts";

const check = (id: string, status: CheckResult["status"], node?: string): CheckResult => ({
  id: `t.${id}`,
  status,
  facts: {},
  yields: "never",
  ...(node === undefined ? {} : { node }),
});

/** First lines of the results, without their dots. */
function heads(results: readonly CheckResult[]): readonly string[] {
  return renderChecks(results, plain)
    .split("\n")
    .flatMap((line) => /^(\S.*?) \.{3,} (.*)$/.exec(line)?.slice(1).join(" ") ?? []);
}

describe("check results", () => {
  it("of a server that was not reached have the hint of its reason", () => {
    const reason = { code: "node.no-report", facts: { node: "old1" } } as const;
    const result: CheckResult = { ...check("reached", "unknown", "old1"), id: "postgresql.reached", reason };
    expect(renderChecks([result], plain)).toContain(
      "\n    because: old1 gave no report: its agent is not attached, or does not answer\n    hint: systemctl status lockkeeper-agent   (on old1); lockkeeper doctor shows",
    );
  });

  const results = [
    check("ranges", "ko"),
    check("backup", "ok"),
    check("z-installed", "ko", "db2"),
    check("a-live", "ko", "db2"),
    check("clock", "warn", "db1"),
    check("report", "unknown", "db3"),
    check("archive", "not-applicable"),
    check("disk", "ok", "db1"),
  ];

  it("begin with what blocks; a node's own ailment stands before its cluster's, a cause before what hangs on it", () => {
    expect(heads(results)).toEqual([
      "db2: check.t.z-installed KO",
      "db2: check.t.a-live KO",
      "check.t.ranges KO",
      "db3: check.t.report UNKNOWN",
      "db1: check.t.clock WARN",
      "db1: check.t.disk OK",
      "check.t.backup OK",
      "check.t.archive n/a",
    ]);
    expect(countChecks(results)).toBe("3 KO, 1 UNKNOWN, 1 WARN, 2 OK, 1 n/a");
  });

  it("of a node without an agent name that before what nobody knows without it", () => {
    const cluster = {
      name: "c",
      engine: "kwdb",
      topology: "multi-replica",
      deployment: "script",
      gates: { everyMs: 1, dwellMs: 1, limitMs: 1 },
      settings: {},
      windows: [],
      nodes: [{ name: "db1", address: "a" }],
    };
    const all = checkCluster({ cluster, wish: { to: "3.1.0" }, reports: {}, nowMs: 0, clockOffsets: {} });
    const unknown = heads(all).filter((line) => line.endsWith("UNKNOWN"));
    expect(unknown[0]).toBe("db1: its agent reports UNKNOWN");
    expect(unknown.length).toBeGreaterThan(2);
  });
});

describe("what a check says beside its result", () => {
  const line = (result: Partial<CheckResult> & Pick<CheckResult, "id">) =>
    renderChecks([{ status: "unknown", facts: {}, yields: "acknowledge", ...result }], (_, text) => text);

  it("asks for a person's word where something was found, and says UNKNOWN where nothing was measured", () => {
    const found = line({ id: "postgresql.unlogged", facts: { found: "orders: public.u" } });
    expect(found).toContain("NEEDS YOUR WORD");
    expect(found).not.toContain("UNKNOWN");
    const reason = { code: "measure.never-taken", facts: {} } as const;
    expect(line({ id: "postgresql.unlogged", reason })).toContain(" UNKNOWN");
  });

  it("has the hint of its cause where it has none of its own: that nothing listens, that an agent is away", () => {
    const reason = {
      code: "postgresql.no-server",
      facts: { at: "/run/postgresql:5595", cause: "ENOENT" },
    } as const;
    const text = line({ id: "postgresql.reached", yields: "never", reason });
    expect(text).toContain("no server listens at /run/postgresql:5595");
    expect(text).toContain("hint: start it");
  });
});
