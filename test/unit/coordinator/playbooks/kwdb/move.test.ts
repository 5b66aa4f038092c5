/** The move into a new cluster: its golden plan, what refuses it, and what each setting changes. */
import { describe, expect, it } from "vitest";
import { canonical } from "#coordinator/domain/digest.ts";
import type { Plan } from "#coordinator/domain/plan.ts";
import type { PlaybookInput, Wish } from "#coordinator/domain/playbook.ts";
import { kwdb } from "#coordinator/playbooks/kwdb.ts";
import { en } from "#proto/catalogue/en/index.ts";
import { render } from "#proto/catalogue/render.ts";
import { walk } from "../../domain/paper/walk.ts";
import { type Changed, inputOf, is, type NodeName, unknown } from "./cluster.ts";

interface Sides {
  readonly old?: Changed;
  readonly young?: Changed;
  readonly wish?: Partial<Wish>;
  readonly databases?: unknown;
  readonly there?: unknown;
}

/** Nodes of the new cluster have names of their own: an agent is of one cluster. */
function inputsOf({ old = {}, young = {}, wish = {}, databases, there }: Sides = {}): PlaybookInput {
  const wished: Wish = { to: "3.1.0", method: "export-import", into: "账单3", ...wish };
  const withDatabases = (given: Changed, found: unknown): Changed => ({
    ...given,
    facts: { ...given.facts, db1: { databases: found, ...given.facts?.db1 } },
  });
  const input = inputOf(withDatabases({ from: "2.2.1", ...old }, databases ?? is(["shop", 'we"ird 库'])));
  const other = inputOf(withDatabases({ from: "3.1.0", ...young }, there ?? is([])));
  const renamed = (name: string) => name.replace("db", "new");
  const into = {
    ...other,
    cluster: {
      ...other.cluster,
      name: "账单3",
      nodes: other.cluster.nodes.map((node) => ({ ...node, name: renamed(node.name) })),
    },
    reports: Object.fromEntries(
      Object.entries(other.reports).map(([name, report]) => [
        renamed(name),
        report === undefined ? undefined : { ...report, node: renamed(name) },
      ]),
    ),
    clockOffsets: Object.fromEntries(
      Object.entries(other.clockOffsets).map(([name, offset]) => [renamed(name), offset]),
    ),
  };
  return { ...input, wish: wished, ...(wished.into === undefined ? {} : { into }) };
}

function planOf(sides: Sides = {}): Plan {
  const made = kwdb.plan(inputsOf(sides));
  if (!made.ok) throw new Error(made.failure.code);
  return made.value;
}

const refusal = (sides: Sides) => {
  const made = kwdb.plan(inputsOf(sides));
  return made.ok ? "planned" : made.failure.code;
};

const phasesOf = (plan: Plan) =>
  plan.stages.flatMap((stage) =>
    stage.kind === "cluster"
      ? stage.phases.map(
          ({ id, programs }) =>
            `${id}: ${programs.map(({ node, steps }) => `${node} ${steps.map((step) => step.id).join(" ")}`).join("; ")}`,
        )
      : [],
  );

const checkOf = (sides: Sides, id: string) =>
  kwdb.check(inputsOf(sides)).find((check) => check.id === `kwdb.${id}`)?.status;

describe("the plan of a move", () => {
  it("is as agreed", async () => {
    const plan = planOf();
    // the other golden plans hold the playbook's number
    const boundTo = { ...plan.boundTo, playbook: "*", "into.playbook": "*" };
    await expect(`${JSON.stringify({ ...plan, boundTo }, null, 2)}\n`).toMatchFileSnapshot(
      "../../../../fixtures/coordinator/playbooks/kwdb/move-2.2.1-to-3.1.0.json",
    );
    expect(plan).toMatchObject({
      strategy: "move",
      method: "export-import",
      clusters: ["账单", "账单3"],
      asks: [],
    });
  });

  it("is walked to its end, both locks free", () => {
    const { state } = walk(planOf());
    expect(state.end).toBe("done");
    expect(state.lock).toBeUndefined();
  });

  it("exports and imports one database after the other, and keeps the fence before it ends", () => {
    const phases = phasesOf(planOf());
    expect(phases.map((each) => each.split(":")[0])).toEqual([
      "fence",
      "before",
      "accounts",
      "export-1-shop",
      "import-1-shop",
      "export-2-we-ird-",
      "import-2-we-ird-",
      "after",
      "compare",
      "clean",
      "keep",
    ]);
    expect(phases[3]).toBe("export-1-shop: db1 prove-fenced export-database send-export");
    expect(phases[4]).toBe("import-1-shop: new1 receive-export rewrite-meta import-database");
    const stage = planOf().stages.find(({ kind }) => kind === "cluster");
    const kept = stage?.kind === "cluster" ? stage.phases.at(-1)?.makesPermanent : undefined;
    expect(kept).toEqual(["move/fence/fence-writes"]);
  });

  it("has no fence where writes are counted, and wants a word for what is lost", () => {
    const plan = planOf({ old: { cluster: { settings: { "writes-while-moving": "counted" } } } });
    expect(phasesOf(plan).join("\n")).not.toMatch(/fence|keep|reopen/);
    expect(plan.asks).toEqual(["kwdb.move-late-rows"]);
    expect(plan.warnings).toContain("warning.kwdb.move-late-rows");
  });

  it("takes the fence down at the end where the entry says so", () => {
    const plan = planOf({ old: { cluster: { settings: { "old-cluster-afterwards": "as-it-was" } } } });
    expect(phasesOf(plan).at(-1)).toBe("reopen: db1 unfence-writes");
  });

  it("leaves meta.sql alone where both versions write it alike, and privileges where 2.1 knows none", () => {
    expect(
      phasesOf(planOf({ old: { from: "3.1.0" }, young: { from: "3.1.1" }, wish: { to: "3.1.1" } })).join(),
    ).not.toContain("rewrite-meta");
    const old = planOf({ old: { from: "2.1.0" } });
    expect(JSON.stringify(old)).toContain('"privileges":"false"');
    expect(JSON.stringify(planOf())).not.toContain('"privileges":"false"');
  });

  it("is open whatever the deployment and topology, also back to an older version with a word", () => {
    expect(refusal({ old: { topology: "standalone" }, young: { topology: "standalone" } })).toBe("planned");
    expect(refusal({ old: { cluster: { deployment: "compiled" } } })).toBe("planned");
    const back = planOf({ old: { from: "3.1.0" }, young: { from: "3.0.0" }, wish: { to: "3.0.0" } });
    expect(back.asks).toEqual(["kwdb.move-older"]);
  });

  it.each<readonly [string, Sides]>([
    ["kwdb.move-without-target", { wish: { into: undefined as never } }],
    ["kwdb.move-strategy", { wish: { strategy: "rolling" } }],
    ["kwdb.move-strategy", { wish: { method: "script" } }],
    ["kwdb.target-missing", { wish: { to: "" } }],
    ["kwdb.version-unknown", { old: { facts: { db2: null } } }],
    ["kwdb.databases-unknown", { databases: unknown }],
    ["kwdb.setting-unreadable", { old: { cluster: { settings: { "fence-limit": "1s" } } } }],
  ])("is refused: %s", (code, sides) => expect(refusal(sides)).toBe(code));
});

describe("the checks before a move", () => {
  it("are content with two clusters that are well", () => {
    const bad = kwdb.check(inputsOf()).filter(({ status }) => status !== "ok" && status !== "not-applicable");
    expect(bad).toEqual([]);
  });

  it.each<readonly [string, string, Sides]>([
    ["move-version", "ko", { young: { from: "3.0.0" } }],
    ["move-version", "unknown", { young: { facts: { db2: null } } }],
    ["move-empty", "ko", { there: is(["old-stuff"]) }],
    ["move-empty", "unknown", { there: unknown }],
    ["move-databases", "unknown", { databases: unknown }],
    ["ranges", "ko", { old: { facts: { db2: { ranges: is({ unavailable: 1, underReplicated: 0 }) } } } }],
    ["ranges", "ko", { young: { facts: { db2: { ranges: is({ unavailable: 1, underReplicated: 0 }) } } } }],
    ["views-agree", "unknown", { young: { facts: { db3: null } } }],
    ["agent-reports", "ok", {}],
  ])("%s is %s", (id, status, sides) => expect(checkOf(sides, id)).toBe(status));

  it("ask nothing that only replacing programs needs", () => {
    const ids = kwdb.check(inputsOf()).map(({ id }) => id);
    for (const id of ["package-given", "version-hop", "sudo", "old-package", "spread", "backup"])
      expect(ids).not.toContain(`kwdb.${id}`);
  });

  it("have words for whatever they find", () => {
    const bare = inputsOf({ old: { facts: { db1: null } }, young: { facts: { db1: null } } });
    const results = [
      ...kwdb.check(bare),
      ...kwdb.check(inputsOf({ young: { from: "3.2.0" }, there: is(["x"]) })),
      ...kwdb.check(
        inputsOf({ old: { from: "3.2.0", cluster: { settings: { "writes-while-moving": "counted" } } } }),
      ),
    ];
    const codes = results.flatMap(({ id, status }) => [
      `check.${id}`,
      ...(status === "ok" ? [] : [`check.${id}.${status}`]),
    ]);
    expect(codes.filter((code) => en[code] === undefined)).toEqual([]);
    const { warnings, wayBack, stages } = planOf();
    const ways = stages.flatMap((stage) => (stage.kind === "cluster" ? stage.waysOnFailure : []));
    for (const code of [...warnings, ...wayBack, ...ways]) expect(en).toHaveProperty([code]);
  });
});

describe("what a move is bound to", () => {
  it("holds both clusters, and databases in a field of the node that changes them", () => {
    const bound = kwdb.fingerprint(inputsOf());
    expect(bound).toMatchObject({ cluster: "账单", into: "账单3", "into.cluster": "账单3", target: "3.1.0" });
    expect(bound["node.db1.databases"]).toBe('["shop","we\\"ird 库"]');
    expect(bound["node.new1.databases"]).toBe("[]");
    expect(bound["node.new2.running"]).toBe("3.1.0");
  });

  it.each<readonly [string, Sides]>([
    ["a database that came", { databases: is(["shop"]) }],
    [
      "another version there",
      {
        young: {
          facts: Object.fromEntries((["db2"] as NodeName[]).map((name) => [name, { unitSha256: is("x") }])),
        },
      },
    ],
    ["another setting", { old: { cluster: { settings: { "old-cluster-afterwards": "as-it-was" } } } }],
  ])("is another with %s", (_, sides) => {
    expect(canonical(kwdb.fingerprint(inputsOf(sides)))).not.toBe(canonical(kwdb.fingerprint(inputsOf())));
  });
});

describe("the way into another cluster", () => {
  const told = (changed: Changed) =>
    (kwdb.ways?.(inputOf(changed)) ?? []).map(
      ({ strategy, isDefault }) => `${strategy}${isDefault ? ", default" : ""}`,
    );

  it("is listed beside the others, and alone where no script leads", () => {
    expect(told({})).toEqual(["rolling, default", "offline", "move"]);
    expect(told({ from: "2.2.0", to: "3.1.0" })).toEqual(["move"]);
    expect(told({ cluster: { deployment: "by-hand" } })).toEqual(["move"]);
    expect(told({ to: "3.0.0" })).toEqual([]);
  });

  it("is named where the script would cross a major version", () => {
    const made = kwdb.plan(inputOf({ from: "2.2.0", to: "3.1.0" }));
    expect(made.ok ? "" : render(made.failure).next).toContain("--method export-import --into");
  });
});
