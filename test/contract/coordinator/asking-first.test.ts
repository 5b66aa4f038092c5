/** What cannot be taken back is asked for at a terminal; a script is not asked. What is empty tells what comes next. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { ControlPort } from "#coordinator/api/control-port.ts";
import type { Plan } from "#coordinator/domain/plan.ts";
import { succeed } from "#proto/common/failure.ts";
import { serve } from "./serving.ts";
import { type Person, typed } from "./typed.ts";

const golden = "test/fixtures/coordinator/playbooks/kwdb/rolling-3.0.0-to-3.1.0.json";
const plan = JSON.parse(readFileSync(golden, "utf8")) as Plan;

async function at(port: unknown, words: readonly string[], person: Person = {}) {
  const address = await serve(port as Partial<ControlPort>);
  return typed([...words, "--coordinator", address], person);
}

describe("an abort", () => {
  const aborted = async (hint: string, words: readonly string[], answers?: readonly string[]) => {
    const orders: unknown[] = [];
    const port = {
      rollout: async () =>
        succeed({
          id: "r-1",
          clusters: ["shop", "shop-new"],
          phase: "stopped",
          lastSequence: 1,
          stop: { hint },
        }),
      steer: async (...order: unknown[]) => succeed(orders.push(order)),
    };
    const said = await at(port, ["abort", "shop", "--detach", ...words], answers && { answers });
    return { ...said, orders: orders.length };
  };

  it("that gives up the watches is asked for by the cluster's name", async () => {
    const refused = await aborted("hint.left-standing", [], ["y"]);
    expect(refused.asked[0]).toContain("gives it up as it stands, and nobody watches then");
    expect([refused.orders, refused.code]).toEqual([0, 2]);
    expect(await aborted("hint.left-standing", [], ["shop"])).toMatchObject({ orders: 1, code: 0 });
  });

  it.each([
    ["that gives nothing up", "hint.retry", [], ["never asked"]],
    ["with -y", "hint.left-standing", ["-y"], ["never asked"]],
    ["of a script", "hint.left-standing", [], undefined],
  ] as const)("%s is not asked for", async (_, hint, words, answers) => {
    expect(await aborted(hint, words, answers)).toMatchObject({ orders: 1, code: 0 });
  });
});

describe("an order that is followed", () => {
  const port = {
    rollout: async () => succeed({ id: "r-1", clusters: ["shop"], phase: "stopped", lastSequence: 1 }),
    steer: async () => succeed(undefined),
    watch: async function* () {
      yield { format: 1, rollout: "r-1", sequence: 2, at: "2026-01-01T00:00:00Z", fact: { kind: "stopped" } };
    },
  };

  it.each(["resume", "approve", "abort"])("%s says what Ctrl-C does", async (order) => {
    const { err, code } = await at(port, [order, "shop", "-o", "ndjson"]);
    expect(err).toBe(`${order}: asked; Ctrl-C detaches, and stops nothing`);
    expect(code).toBe(5);
    expect((await at(port, [order, "shop", "--detach"])).err).toBe(`${order}: asked`);
  });
});

describe("cluster apply --prune", () => {
  const files = {
    "fleet.yaml":
      "clusters:\n  billing:\n    engine: kwdb\n    topology: standalone\n    nodes:\n      db1: { address: 10.0.0.11 }\n",
  };

  const pruned = async (
    removed: readonly string[],
    words: readonly string[],
    answers?: readonly string[],
  ) => {
    const applied: boolean[] = [];
    const port = {
      applyInventory: async (_by: unknown, { dryRun }: { readonly dryRun: boolean }) => {
        if (!dryRun) applied.push(true);
        const changes = removed.map((cluster) => ({ kind: "removed", cluster }));
        return succeed({ changes, kept: [] });
      },
    };
    const person = { files, ...(answers === undefined ? {} : { answers }) };
    const said = await at(port, ["cluster", "apply", "fleet.yaml", "--prune", ...words], person);
    return { ...said, applied: applied.length };
  };

  it("names the clusters that go, and removes them at that word alone", async () => {
    const refused = await pruned(["shop", "stock"], [], ["yes"]);
    expect(refused.asked[0]).toContain("removed from the inventory by this: shop, stock");
    expect([refused.applied, refused.code]).toEqual([0, 2]);
    expect(await pruned(["shop"], [], ["remove"])).toMatchObject({ applied: 1, code: 0 });
  });

  it.each([
    ["with -y", ["shop"], ["-y"], ["never asked"]],
    ["where nothing goes", [], [], ["never asked"]],
    ["in a script", ["shop"], [], undefined],
  ] as const)("%s asks nobody", async (_, removed, words, answers) => {
    expect(await pruned(removed, words, answers)).toMatchObject({ applied: 1, code: 0 });
  });
});

describe("plan", () => {
  const planned = (checks: Plan["checks"]) =>
    at({ makePlan: async () => succeed({ ways: [], plan: succeed({ ...plan, checks }) }) }, [
      "plan",
      "billing",
      "--to",
      "3.1.0",
      "-o",
      "plan.json",
    ]);

  it("ends with 3 where apply would refuse what it has written, so that a script stops there", async () => {
    const { code, err, files } = await planned([
      { id: "kwdb.ranges", status: "ko", facts: {}, yields: "never" },
    ]);
    expect(err).toContain(
      "written to plan.json; apply would refuse it (kwdb.ranges); next: lockkeeper check",
    );
    expect(files.has("plan.json")).toBe(true);
    expect(code).toBe(3);
  });

  it("ends with 0 where only the words are missing that it asks for", async () => {
    expect(await planned([])).toMatchObject({ code: 0 });
  });
});

describe("nothing yet", () => {
  const fleet = { fleet: async () => succeed({ clusters: [], insecure: false }) };

  it.each([
    [["cluster", "list"], fleet],
    [["node", "list"], fleet],
  ])("%j tells how the inventory is filled", async (words, port) => {
    const { out, code } = await at(port, words);
    expect(out).toMatch(/^the inventory is empty; next: lockkeeper cluster apply FILE/);
    expect(code).toBe(0);
  });

  it("history tells how a rollout is begun", async () => {
    const { out } = await at({ rollouts: async () => succeed([]) }, ["history"]);
    expect(out).toMatch(/^no rollout yet; next: lockkeeper plan CLUSTER --to VERSION/);
  });
});

describe("words that are no command", () => {
  it.each([
    [
      ["help", "pgrepup", "foo"],
      "help pgrepup is one page: foo is none of it\n  next: lockkeeper help pgrepup",
    ],
    [
      ["help", "plan", "approve"],
      "plan has no command approve; approve is a command of its own\n  next: lockkeeper help approve",
    ],
    [
      ["help", "postgresql"],
      "there is no command postgresql\n  next: lockkeeper init postgresql, lockkeeper help pgrepup",
    ],
    [["pgrepup"], "there is no command pgrepup\n  next: lockkeeper help pgrepup"],
    [["help", "plna"], "there is no command plna\n  did you mean plan?"],
  ])("%j point to what is there", async (words, says) => {
    const { err, code } = await typed(words);
    expect(err).toContain(says);
    expect(code).toBe(2);
  });
});
