import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { nextAfterPlan } from "#coordinator/cli/render/plan-next.ts";
import type { CheckResult } from "#coordinator/domain/check.ts";
import type { Plan } from "#coordinator/domain/plan.ts";

const golden = "test/fixtures/coordinator/playbooks/kwdb/rolling-3.0.0-to-3.1.0.json";
const plan = JSON.parse(readFileSync(golden, "utf8")) as Plan;
const ko: CheckResult = { id: "kwdb.space", status: "ko", facts: {}, yields: "override", node: "db2" };

describe("the command after a plan", () => {
  it("has a flag for each word that the plan asks for, and place for the reason", () => {
    expect(nextAfterPlan(plan, "plan.json")).toBe(
      'next: lockkeeper apply plan.json --ack kwdb.rolling-from-3-0 --ack kwdb.backup --reason "…"',
    );
  });

  it("is bare where nothing is asked", () => {
    expect(nextAfterPlan({ ...plan, asks: [], checks: [] }, "plan.json")).toBe(
      "next: lockkeeper apply plan.json",
    );
  });

  it.each([
    ["out/Friday night.json", "'out/Friday night.json'"],
    ["it's.json", "'it'\\''s.json'"],
  ])("names %s so that a shell takes it for one word", (file, word) => {
    expect(nextAfterPlan({ ...plan, asks: [], checks: [] }, file)).toBe(`next: lockkeeper apply ${word}`);
  });

  it("looks again at all that was looked at: the new cluster, and the way that was named", () => {
    const checks: readonly CheckResult[] = [ko];
    const { artefact: _, ...bare } = plan;
    const next = (changed: Partial<Plan>) =>
      nextAfterPlan({ ...bare, to: "18", checks, ...changed }, "p.json");
    expect(
      next({ clusters: ["shop", "shop-new"], strategy: "move", method: "logical-replication" }),
    ).toContain("next: lockkeeper check shop --to 18 --method logical-replication --into shop-new");
    expect(next({ clusters: ["shop"], strategy: "offline", method: "pg-upgrade" })).toContain(
      "next: lockkeeper check shop --to 18 --method pg-upgrade",
    );
    expect(next({ clusters: ["shop"], strategy: "offline" })).toMatch(/--strategy offline$/);
    expect(next({ clusters: ["shop"], back: "r-1" })).toMatch(/next: lockkeeper plan --back r-1$/);
  });

  it("is another look where apply would refuse, also where the same check asks of another node", () => {
    const asks = ["kwdb.space"];
    const checks: readonly CheckResult[] = [{ ...ko, node: "db1", status: "unknown" }, ko];
    expect(nextAfterPlan({ ...plan, asks, checks }, "plan.json")).toBe(
      `apply would refuse it (kwdb.space); next: lockkeeper check ${plan.clusters[0]} --to 3.1.0 --sha256 ${plan.artefact?.digest}`,
    );
  });
});
