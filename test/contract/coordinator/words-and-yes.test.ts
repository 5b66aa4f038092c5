/** What is typed before a rollout begins: the name of the cluster, and words for checks. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Plan } from "#coordinator/domain/plan.ts";
import { planText } from "#coordinator/domain/plan-file.ts";
import { serve } from "./serving.ts";
import { typed } from "./typed.ts";

const golden = "test/fixtures/coordinator/playbooks/kwdb/rolling-3.0.0-to-3.1.0.json";
const plan = JSON.parse(readFileSync(golden, "utf8")) as Plan;
const moved = { ...plan, clusters: ["shop", "shop-new"] };

/** A rollout that was asked for is refused, so that nothing is followed: whether it came to that is what counts. */
async function apply(of: Plan, answers: readonly string[], ...words: readonly string[]) {
  const applied: unknown[] = [];
  const address = await serve({
    apply: async (...asked) => {
      applied.push(asked);
      return { ok: false, failure: { code: "claim.held", facts: {} } };
    },
  });
  const said = await typed(["apply", "plan.json", ...words, "--coordinator", address], {
    answers,
    files: { "plan.json": planText(of) },
  });
  return { ...said, applied: applied.length };
}

describe("the name that begins a rollout", () => {
  it.each(["shop", "shop,shop-new", "shop, shop-new", " shop "])(
    "takes %j for the move of shop",
    async (name) => {
      const { applied, asked } = await apply(moved, [name]);
      expect(asked).toEqual([
        "\nType the name of the cluster, shop, to begin (shop, shop-new does as well): ",
      ]);
      expect(applied).toBe(1);
    },
  );

  it.each(["shop-new", "shop-new, shop", "y", ""])(
    "does not take %j, and tells what it wanted",
    async (name) => {
      const { applied, err, code } = await apply(moved, [name]);
      expect(err).toContain(`typed "${name}", wanted "shop"; nothing was done`);
      expect([applied, code]).toEqual([0, 2]);
    },
  );

  it("of one cluster has no list", async () => {
    const { asked } = await apply(plan, [plan.clusters[0] ?? ""]);
    expect(asked).toEqual([`\nType the name of the cluster, ${plan.clusters[0]}, to begin: `]);
  });
});

describe("a word for a check that there is not", () => {
  it.each([
    ["--ack", "postgresql.large-object", "postgresql.large-objects"],
    ["--ack", "node.unprove", "node.unproven"],
    ["--override", "kwdb.spaec", "kwdb.space"],
  ])("%s %s is told as such before anything is asked, with the right one", async (flag, word, near) => {
    const words = ["-y", flag, word, "--reason", "r", "--until", "2h"];
    const { applied, err, code } = await apply(plan, [], ...words);
    expect(err).toContain(`no check is called ${word}; nothing was done\n  did you mean ${near}?`);
    expect([applied, code]).toEqual([0, 2]);
  });

  it("is none where the check is known", async () => {
    const { applied } = await apply(
      plan,
      [],
      "-y",
      "--ack",
      "kwdb.backup",
      "--ack",
      "lock.broken",
      "--reason",
      "r",
    );
    expect(applied).toBe(1);
  });
});

describe("a word that the plan does not ask for", () => {
  it("is told before the rollout is followed", async () => {
    const facts = { check: "kwdb.space", asked: "kwdb.backup, kwdb.old-package" };
    const notes = [{ code: "word.not-asked-for" as const, facts }];
    const address = await serve({ apply: async () => ({ ok: true, value: { rollout: "r1", notes } }) });
    const words = ["-y", "--detach", "--ack", "kwdb.space", "--reason", "r"];
    const { err, code } = await typed(["apply", "plan.json", ...words, "--coordinator", address], {
      answers: [],
      files: { "plan.json": planText(plan) },
    });
    expect(err).toContain(
      "the plan does not ask for your word on kwdb.space: it answers for nothing (asked for: kwdb.backup, kwdb.old-package)\nrollout r1 begins",
    );
    expect(code).toBe(0);
  });
});

describe("the cluster that the data goes into", () => {
  it("is not the one that it comes from, and is said to be just that", async () => {
    const { err, code } = await typed(["check", "shop", "--to", "18", "--into", "shop"]);
    expect(err).toContain("--into shop is the cluster itself; the data goes into another one");
    expect(code).toBe(2);
  });
});
