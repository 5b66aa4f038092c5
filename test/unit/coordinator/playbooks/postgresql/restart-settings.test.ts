/** Settings of the source that need a restart: by the plan where its agents may restart it, by a person where not. */
import { describe, expect, it } from "vitest";
import type { NodeStage, Plan } from "#coordinator/domain/plan.ts";
import { checkMove } from "#coordinator/playbooks/postgresql/checks.ts";
import { postgresql } from "#coordinator/playbooks/postgresql.ts";
import type { Patroni } from "#proto/engines/postgresql-patroni.ts";
import { type Changed, inputOf, is, type Sides, unknown } from "./pair.ts";

const unit = is("systemctl restart postgresql@15-main");
const low = { wal_level: "replica", max_replication_slots: "1" };

const source = (changed: Changed = {}): Changed => ({
  settings: low,
  ...changed,
  facts: { restart: unit, ...changed.facts },
});

function findings(sides: Sides): readonly string[] {
  return checkMove(inputOf(sides))
    .filter(({ status }) => status !== "ok")
    .map(({ id, status }) => `${id.replace("postgresql.", "")} ${status}`);
}

function planOf(sides: Sides): Plan {
  const made = postgresql.plan(inputOf(sides));
  if (!made.ok) throw new Error(made.failure.code);
  return made.value;
}

const stagesOf = ({ stages }: Plan): readonly NodeStage[] => stages.filter((each) => each.kind === "node");

describe("a source whose settings are too low", () => {
  it("is refused where its agent's file names nothing to restart it by", () => {
    const sides = { source: { settings: low } };
    expect(findings(sides)).toEqual(["source-wal-level ko", "source-slot-room ko", "source-restart ko"]);
    expect(stagesOf(planOf(sides))).toEqual([]);
  });

  it("is set right by the plan where it does, and told so", () => {
    const sides = { source: source() };
    expect(findings(sides)).toEqual([
      "source-wal-level not-applicable",
      "source-slot-room not-applicable",
      "source-restart warn",
    ]);
    const [stage, ...more] = stagesOf(planOf(sides));
    expect(more).toEqual([]);
    expect(stage).toMatchObject({ id: "settings-old", node: "old", cluster: "alt" });
    expect(stage?.program.steps.map(({ id }) => id)).toEqual([
      "prove-server",
      "write-settings",
      "restart-server",
    ]);
    const [, write, restart] = stage?.program.steps ?? [];
    expect(JSON.parse(write?.call.args["settings"] ?? "")).toEqual({
      wal_level: "logical",
      max_replication_slots: "3",
    });
    expect(write?.undo?.verb).toBe("postgresql.restore-settings");
    expect(restart?.shownAs).toContain("systemctl restart postgresql@15-main");
  });

  it("is set right before anything else is changed", () => {
    const kinds = planOf({ source: source() }).stages.map(({ id }) => id);
    expect(kinds.slice(0, 3)).toEqual(["look", "settings-old", "prepare"]);
  });

  it("has its replicas restarted first, each with what it is to have", () => {
    const sides = { source: source(), second: { facts: { restart: unit }, settings: low } };
    expect(stagesOf(planOf(sides)).map(({ id }) => id)).toEqual(["settings-old2", "settings-old"]);
    for (const { program } of stagesOf(planOf(sides)))
      expect(program.steps.map(({ id }) => id)).toContain("write-settings");
  });

  it.each<readonly [string, Sides]>([
    ["a replica whose agent names nothing", { source: source(), second: { settings: low } }],
    ["a replica that is not in the inventory", { source: source({ facts: { standbys: is(1) } }) }],
    ["a file that was not read", { source: source({ facts: { restart: unknown } }) }],
  ])("is refused with %s: it would be left behind", (_, sides) => {
    expect(findings(sides)).toContain("source-wal-level ko");
    expect(findings(sides)).toContain("source-restart ko");
    expect(stagesOf(planOf(sides))).toEqual([]);
  });

  it("widens what is narrow with the same restart, and restarts for nothing that is only narrow", () => {
    const narrow = { max_replication_slots: "2", max_wal_senders: "10" };
    expect(stagesOf(planOf({ source: { ...source(), settings: { max_wal_senders: "3" } } }))).toEqual([]);
    const both = { source: { ...source(), settings: { ...narrow, wal_level: "replica" } } };
    const [, write] = stagesOf(planOf(both))[0]?.program.steps ?? [];
    expect(JSON.parse(write?.call.args["settings"] ?? "")).toEqual({
      wal_level: "logical",
      max_replication_slots: "3",
    });
  });
});

describe("under Patroni", () => {
  const patroni: Patroni = {
    version: "3.0.2",
    scope: "shop",
    member: "old",
    members: ["old", "old2"].map((name) => ({
      name,
      host: "10.0.0.1",
      role: name === "old" ? "leader" : "replica",
      state: "running",
      timeline: 1,
      isPendingRestart: false,
    })),
    isPaused: false,
    isStandbyCluster: false,
    usesSlots: true,
    ownsHba: false,
    parameters: {},
  };
  const facts = { restart: is("patronictl restart"), patroni: is(patroni) };

  it("is written once for all members, and each is restarted", () => {
    const sides = { source: source({ facts }), second: { facts, settings: low } };
    const programs = stagesOf(planOf(sides)).map(({ id, program: { steps } }) => [
      id,
      ...steps.map((step) => step.id),
    ]);
    expect(programs).toEqual([
      ["settings-old2", "write-settings", "restart-server"],
      ["settings-old", "prove-server", "restart-server"],
    ]);
    const [write] = stagesOf(planOf(sides))[0]?.program.steps ?? [];
    expect(write?.shownAs).toContain(
      "patronictl edit-config -p wal_level=logical -p max_replication_slots=3",
    );
  });

  it("is refused with a member that is not in the inventory", () => {
    expect(stagesOf(planOf({ source: source({ facts }) }))).toEqual([]);
  });
});

describe("the way back", () => {
  it("writes back what was on each node, and forgets", () => {
    const sides = { source: source(), second: { facts: { restart: unit }, settings: low } };
    const undone = {
      rollout: "r1",
      plan: planOf(sides),
      nodes: [{ node: "old", begun: ["write-settings"], isChanged: false }],
    };
    const made = postgresql.planBack?.(inputOf({ ...sides, to: "15" }), undone);
    if (made?.ok !== true) throw new Error(made?.failure.code);
    const clear = made.value.stages.find(({ id }) => id === "clear");
    const phase = clear?.kind === "cluster" ? clear.phases.find(({ id }) => id === "source") : undefined;
    const ids = phase?.programs.map(({ node, steps }) => [node, ...steps.map(({ id }) => id)]);
    expect(ids?.[0]).toContain("restore-settings");
    expect(ids?.[1]).toEqual(["old2", "restore-settings", "forget"]);
  });
});
