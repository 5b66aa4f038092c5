import { describe, expect, it } from "vitest";
import type { Plan, PlanStep } from "#coordinator/domain/plan.ts";
import { programsOf } from "#coordinator/domain/stage-programs.ts";
import { postgresql } from "#coordinator/playbooks/postgresql.ts";
import { en } from "#proto/catalogue/en/index.ts";
import type { PgInPlace } from "#proto/engines/postgresql.ts";
import { is, type Sides, unknown } from "../pair.ts";
import { inPlaceInput, source, systemId } from "./cluster.ts";

function planOf(sides?: Sides, place?: Partial<PgInPlace>): Plan {
  const made = postgresql.plan(inPlaceInput(sides, place));
  if (!made.ok) throw new Error(JSON.stringify(made.failure));
  return made.value;
}

function refusal(sides?: Sides, place?: Partial<PgInPlace>, wish: object = {}): string {
  const input = inPlaceInput(sides, place);
  const made = postgresql.plan({ ...input, wish: { ...input.wish, ...wish } });
  return made.ok ? "a plan" : made.failure.code;
}

/** `stage` or `stage/phase`: its steps; each with `!` where it cannot be undone. */
function outline({ stages }: Plan): Readonly<Record<string, readonly string[]>> {
  const found = stages.flatMap((stage): readonly (readonly [string, readonly string[]])[] => {
    const programs = programsOf(stage);
    if (programs.length === 0) return [[stage.id, []]];
    return programs.map(
      ({ wireStage, program }) =>
        [
          wireStage,
          program.steps.map(({ id, class: kind }) => (kind === "irreversible" ? `${id}!` : id)),
        ] as const,
    );
  });
  return Object.fromEntries(found);
}

function stepsOf(plan: Plan): readonly PlanStep[] {
  return plan.stages.flatMap((stage) => programsOf(stage).flatMap(({ program }) => program.steps));
}

const copying = {
  look: ["prove-server", "prove-place"],
  "prepare/make": [
    "prove-server",
    "prove-place",
    "mask-new",
    "make-data",
    "carry-configuration",
    "try-upgrade",
  ],
  ready: [],
  "upgrade/close": [
    "prove-server",
    "prove-place",
    "try-upgrade",
    "pause-pooler",
    "close",
    "prove-fenced",
    "measure-own",
    "prove-fenced-still",
  ],
  "upgrade/stop": ["stop-old", "mask-old", "prove-stopped"],
  "upgrade/swap": ["make-data-fresh", "carry-configuration-again", "run-upgrade", "prove-upgraded"],
  "upgrade/open": ["start-new", "prove-successor", "compare-own", "open-writes!", "resume-pooler"],
  "upgrade/settle": ["list-extension-updates", "analyze"],
  soak: [],
  "retire/clear": ["prove-successor", "clear-work", "forget"],
  finish: [],
};

describe("the plan of an upgrade in place", () => {
  it("by copy: what is made, closed, stopped, swapped and opened, in this order", () => {
    const plan = planOf();
    expect(outline(plan)).toEqual(copying);
    expect(plan).toMatchObject({
      clusters: ["alt"],
      from: "17",
      to: "18",
      strategy: "offline",
      method: "pg-upgrade",
      pointOfNoReturn: "upgrade/open/open-writes",
    });
  });

  it("by link: nothing leads back from the first start of the new server", () => {
    const plan = planOf({ entry: { "upgrade-mode": "link" } });
    expect(outline(plan)).toEqual({
      ...copying,
      "upgrade/open": ["start-new!", "prove-successor", "compare-own", "open-writes!", "resume-pooler"],
    });
    expect(plan.pointOfNoReturn).toBe("upgrade/open/start-new");
    expect(stepsOf(plan).find(({ id }) => id === "start-new")?.undo).toBeUndefined();
    expect(plan.warnings).toContain("warning.postgresql.in-place-link");
  });

  it("removes the old data only where the settings say so, after the soak", () => {
    expect(outline(planOf({ entry: { "old-data": "remove" } }))["retire/clear"]).toEqual([
      "prove-successor",
      "remove-old-data!",
      "clear-work",
      "forget",
    ]);
  });

  it("has an undo for each step that takes something from its users, and never ends pg_upgrade", () => {
    const steps = stepsOf(planOf());
    const undos = Object.fromEntries(
      steps.flatMap(({ id, undo }) =>
        undo === undefined ? [] : [[id, `${undo.verb} ${JSON.stringify(undo.args)}`]],
      ),
    );
    expect(undos).toEqual({
      "mask-new": 'postgresql.unmask-unit {"which":"new"}',
      "make-data": "postgresql.remove-data {}",
      "make-data-fresh": "postgresql.remove-data {}",
      "carry-configuration": "postgresql.remove-configuration {}",
      "pause-pooler": 'postgresql.call-hook {"hook":"resumePooler"}',
      close: "postgresql.unfence-writes {}",
      "stop-old": 'postgresql.start-server {"which":"old"}',
      "mask-old": 'postgresql.unmask-unit {"which":"old"}',
      "start-new": 'postgresql.stop-server {"which":"new"}',
    });
    expect(steps.filter(({ onDeadline }) => onDeadline === "observe").map(({ id }) => id)).toEqual([
      "run-upgrade",
    ]);
    expect(steps.flatMap(({ id, service }) => (service === undefined ? [] : [`${id} ${service}`]))).toEqual([
      "close goes",
      "open-writes is-back",
    ]);
  });

  it("says the whole command, with the mode and the folders", () => {
    const shown = (id: string, plan: Plan) => stepsOf(plan).find((each) => each.id === id)?.shownAs;
    expect(
      shown("run-upgrade", planOf({ entry: { "upgrade-mode": "clone", "databases-at-once": "4" } })),
    ).toBe("pg_upgrade --clone --jobs=4 -d /data -D /data18");
    expect(shown("stop-old", planOf())).toBe("systemctl stop postgresql@17-main");
  });

  it("has words for all that it asks and warns of", () => {
    for (const plan of [planOf(), planOf({ entry: { "upgrade-mode": "link", "old-data": "remove" } })]) {
      const questions = plan.stages.flatMap((stage) =>
        stage.kind === "wait" && stage.approval !== undefined ? [stage.approval.question] : [],
      );
      const ways = plan.stages.flatMap((stage) => (stage.kind === "cluster" ? stage.waysOnFailure : []));
      const codes = [...questions, ...ways, ...plan.warnings, ...plan.wayBack];
      expect(codes.filter((code) => en[code] === undefined)).toEqual([]);
    }
  });

  it("is bound to both versions, the folders and the databases, and not to what it changes itself", () => {
    const bound = (sides?: Sides, place?: Partial<PgInPlace>) =>
      postgresql.fingerprint(inPlaceInput(sides, place));
    for (const other of [
      bound({}, { newVersion: "18.2" }),
      bound({}, { newData: "/elsewhere" }),
      bound({ entry: { "upgrade-mode": "link" } }),
      bound(source({ server: { systemId: "9" } })),
    ])
      expect(other).not.toEqual(bound());
    const ofNode = Object.keys(bound()).filter((field) => field.startsWith("node."));
    expect(ofNode.sort()).toEqual([
      "node.old.databases",
      "node.old.place",
      "node.old.system-id",
      "node.old.version",
    ]);
  });

  it.each([
    ["postgresql.in-place-strategy", {}, {}, { strategy: "move" }],
    ["postgresql.in-place-into", {}, {}, { into: "neu" }],
    ["postgresql.in-place-nodes", { second: {} }, {}, {}],
    ["postgresql.server-unknown", { source: { silent: true } }, {}, {}],
    ["postgresql.in-place-not-set", source({ facts: { inPlace: undefined as never } }), {}, {}],
    ["measure.failed", source({ facts: { inPlace: unknown } }), {}, {}],
    ["postgresql.in-place-version", {}, { newMajor: 19 }, {}],
    ["postgresql.in-place-version", {}, { newMajor: 17 }, { to: "17" }],
    ["postgresql.databases-unknown", source({ facts: { databases: unknown } }), {}, {}],
    ["postgresql.setting-unreadable", { entry: { "upgrade-mode": "swap" } }, {}, {}],
    ["postgresql.setting-unreadable", { entry: { "old-data": "shred" } }, {}, {}],
  ] as const)("is refused: %s", (code, sides, place, wish) => {
    expect(refusal(sides, place, wish)).toBe(code);
    expect(code === "measure.failed" || en[code] !== undefined).toBe(true);
  });

  it("is one of the ways where the agent's file allows it", () => {
    const methods = (input = inPlaceInput()) => postgresql.ways?.(input).map(({ method }) => method);
    expect(methods()).toEqual(["logical-replication", "pg-upgrade"]);
    expect(methods(inPlaceInput(source({ facts: { inPlace: undefined as never } })))).toEqual([
      "logical-replication",
    ]);
  });
});

describe("the gate of the new server", () => {
  const gate = postgresql.gates["postgresql.serves-as"];
  const spec = {
    gate: "postgresql.serves-as",
    cluster: "alt",
    args: { version: "18", not: systemId },
    everyMs: 1,
    dwellMs: 1,
    limitMs: 1,
  };
  const judged = (sides: Sides) => {
    const report = inPlaceInput(sides).reports["old"];
    const nodes = report === undefined ? {} : { old: report };
    return gate?.({ spec, before: undefined, now: { cluster: "alt", atMs: 0, nodes } });
  };

  it("passes for the new version under another identifier", () => {
    const server = { versionNum: 180_001, version: "18.1", systemId: "2" };
    expect(judged(source({ server }))).toEqual({ verdict: "pass" });
  });

  it("fails where the old server was started again, and waits for what it does not know", () => {
    expect(judged({})).toMatchObject({ verdict: "fail", why: { code: "postgresql.old-server-serves" } });
    expect(judged(source({ facts: { server: unknown } }))).toMatchObject({ verdict: "wait" });
    expect(judged(source({ server: { systemId: "2" } }))).toMatchObject({
      verdict: "wait",
      why: { code: "postgresql.version-differs" },
    });
    const standby = { versionNum: 180_001, version: "18.1", systemId: "2", isStandby: true };
    expect(
      judged(
        source({
          facts: { server: is({ ...standby, startedAt: "", dataDirectory: "", isSuperuser: true }) },
        }),
      ),
    ).toMatchObject({
      why: { code: "postgresql.is-standby" },
    });
  });
});

describe("the way back", () => {
  function back(begun: readonly string[], sides: Sides = {}) {
    const plan = planOf(sides);
    // nobody answers: the server may be down just now
    const input = inPlaceInput({ ...sides, source: { silent: true } });
    const undone = { rollout: "r1", plan, nodes: [{ node: "old", begun, isChanged: false }] };
    return postgresql.planBack?.({ ...input, wish: { to: "17", back: undone } }, undone);
  }
  const link: Sides = { entry: { "upgrade-mode": "link" } };
  const swapped = ["make-data", "close", "stop-old", "run-upgrade"];

  it.each([
    ["by copy", {}, swapped],
    ["by copy, started and never opened", {}, [...swapped, "start-new", "compare-own"]],
    ["by link", link, swapped],
  ])("before the new server was opened, %s: the old one serves, what was made goes", (_, sides, begun) => {
    const made = back(begun, sides);
    expect(made?.ok && outline(made.value)).toEqual({
      "return/stop": ["stop-new"],
      "return/open": ["start-old", "prove-server", "unfence-writes"],
      "return/clear": ["remove-data", "remove-configuration", "unmask-new"],
      "return/forget": ["resume-pooler", "clear-work", "forget"],
      finish: ["prove-server"],
    });
    expect(made?.ok && made.value.asks).toEqual([]);
  });

  it("after it, by copy: the old one serves without the rows since, which is asked for; the new data stays", () => {
    const made = back([...swapped, "start-new", "open-writes"]);
    expect(made?.ok && outline(made.value)).toEqual({
      "return/stop": ["stop-new", "mask-new"],
      "return/open": ["start-old", "prove-server", "unfence-writes!"],
      "return/forget": ["resume-pooler", "clear-work", "forget"],
      finish: ["prove-server"],
    });
    expect(made?.ok && made.value.asks).toEqual(["postgresql.rows-since"]);
    expect(made?.ok && made.value.warnings).toEqual([
      "warning.postgresql.rows-since",
      "warning.postgresql.new-data-stays",
    ]);
    const steps = made?.ok === true ? stepsOf(made.value) : [];
    expect(steps.find(({ id }) => id === "start-old")?.call.args).toEqual({ which: "old", of: "r1" });
    // an abort up to there leaves no host on which nobody serves
    expect(steps.flatMap(({ id, undo }) => (undo === undefined ? [] : [`${id}: ${undo.verb}`]))).toEqual([
      "stop-new: postgresql.start-server",
      "mask-new: postgresql.unmask-unit",
      "start-old: postgresql.stop-server",
    ]);
    expect(steps.find(({ id }) => id === "prove-server")?.call.args).toEqual({ systemId, version: "17" });
  });

  it.each([
    ["postgresql.back-linked", [...swapped, "start-new"], link],
    ["postgresql.back-in-place-retired", [...swapped, "start-new", "open-writes", "remove-old-data"], {}],
    ["postgresql.back-in-place-retired", [...swapped, "start-new", "open-writes", "forget"], link],
  ])("is refused: %s", (code, begun, sides) => {
    expect(back(begun, sides)).toMatchObject({ ok: false, failure: { code } });
    expect(en[code]).toBeDefined();
  });
});
