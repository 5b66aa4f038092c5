/** Packages that the new host's own file names: what a check says of them, and what the plan and the way back make of it. */
import { describe, expect, it } from "vitest";
import type { CheckResult } from "#coordinator/domain/check.ts";
import type { ClusterStage, Plan } from "#coordinator/domain/plan.ts";
import { checkMove } from "#coordinator/playbooks/postgresql/checks.ts";
import { postgresql } from "#coordinator/playbooks/postgresql.ts";
import { en } from "#proto/catalogue/en/index.ts";
import { render } from "#proto/catalogue/render.ts";
import type { PgPackages } from "#proto/engines/postgresql-packages.ts";
import { at, inputOf, is, type Sides } from "./pair.ts";

const cron = {
  name: "postgresql-18-cron",
  version: "1.6.4-2",
  architecture: "amd64",
  origin: "http://deb.debian.org/debian forky/main",
  isNamed: true,
};
const along = { name: "libcron", version: "3", architecture: "all", origin: "Debian:forky", isNamed: false };

function packages(changed: Partial<PgPackages> = {}) {
  const none = { installed: [], notFound: [], adds: [], changes: [], removes: [], whyMainCluster: null };
  return is<PgPackages>({ ...none, ...changed });
}

const adding = packages({ adds: [cron, along], installed: ["postgresql-18 18.1-1"] });
/** The old one uses what the new one lacks. */
const lacking: Sides = { shop: { extensions: [{ name: "pg_trgm", version: "1.6" }] } };
const withPackages = (found: unknown, sides: Sides = lacking): Sides => ({
  ...sides,
  target: { ...sides.target, facts: { ...sides.target?.facts, packages: found as never } },
});

function checkOf(sides: Sides, id: string): CheckResult {
  const found = checkMove(inputOf(sides)).find((each) => each.id === `postgresql.${id}`);
  if (found === undefined) throw new Error(id);
  return found;
}

function planOf(sides: Sides): Plan {
  const made = postgresql.plan(inputOf(sides));
  if (!made.ok) throw new Error(made.failure.code);
  return made.value;
}

function prepareOf(plan: Plan): ClusterStage {
  const found = plan.stages.find(({ id }) => id === "prepare");
  if (found?.kind !== "cluster") throw new Error("no prepare");
  return found;
}

const firstOf = (plan: Plan) => prepareOf(plan).phases[0];

describe("packages of the new host", () => {
  it("are no matter where its agent's file names none", () => {
    expect(checkMove(inputOf({})).some(({ id }) => id.includes("packages"))).toBe(false);
    expect(checkOf(lacking, "extensions").status).toBe("ko");
    expect(firstOf(planOf({}))?.id).toBe("export");
  });

  it("are told with version, origin and what comes along; what they may bring is no reason to refuse", () => {
    const sides = withPackages(adding);
    const { status, facts, node } = checkOf(sides, "packages");
    expect({ status, node }).toEqual({ status: "warn", node: "new" });
    const says = render({ code: "check.postgresql.packages.warn", facts }).says;
    for (const told of [
      "postgresql-18-cron 1.6.4-2 from http://deb.debian.org/debian forky/main",
      "libcron 3 from Debian:forky",
      "postgresql-18 18.1-1",
    ])
      expect(says).toContain(told);
    expect(checkOf(sides, "extensions")).toMatchObject({
      status: "not-applicable",
      reason: { code: "postgresql.comes-with-packages", facts: { packages: "postgresql-18-cron=1.6.4-2" } },
    });
  });

  it("are the first thing that is made, exactly as they were told, and what they had to bring is proven before all else", () => {
    const plan = planOf(withPackages(adding));
    const phase = firstOf(plan);
    expect(phase?.programs.map(({ node }) => node)).toEqual(["new"]);
    const [proven, add, prove, ...more] = phase?.programs[0]?.steps ?? [];
    expect([proven?.id, add?.id, prove?.id, more]).toEqual([
      "prove-server",
      "add-packages",
      "prove-brought",
      [],
    ]);
    expect(JSON.parse(add?.call.args["packages"] ?? "")).toEqual([
      { name: "postgresql-18-cron", version: "1.6.4-2", architecture: "amd64" },
      { name: "libcron", version: "3", architecture: "all" },
    ]);
    expect(add?.undo).toMatchObject({ verb: "postgresql.remove-packages" });
    expect(add?.shownAs).toContain("postgresql-18-cron=1.6.4-2 libcron=3");
    expect(JSON.parse(prove?.call.args["extensions"] ?? "")).toEqual(["pg_trgm"]);
    expect(prepareOf(plan).clusters).toEqual(["alt", "neu"]);
    expect(plan.boundTo["node.new.packages"]).toContain("postgresql-18-cron=1.6.4-2");
  });

  it("may bring the client programs, too", () => {
    const unknown = {
      at,
      unknown: { code: "postgresql.tool-not-run", facts: { tool: "pg_dump", cause: "none" } },
    };
    const sides: Sides = { target: { facts: { toolsMajor: unknown as never } } };
    expect(checkOf(sides, "target-tools").status).toBe("unknown");
    expect(checkOf(withPackages(adding, sides), "target-tools").status).toBe("not-applicable");
    const steps = firstOf(planOf(withPackages(adding, sides)))?.programs[0]?.steps ?? [];
    expect(steps.at(-1)?.call.args["tools"]).toBe("18");
  });

  it("are no word where all are there: what is missing then is missing", () => {
    const sides = withPackages(packages({ installed: ["postgresql-18-cron 1.6.4-2"] }));
    expect(checkOf(sides, "packages").status).toBe("ok");
    expect(checkOf(sides, "extensions").status).toBe("ko");
    expect(firstOf(planOf(sides))?.id).toBe("export");
  });

  it.each<readonly [string, Partial<PgPackages>, string]>([
    ["are not to be found", { notFound: ["postgresql-18-corn"] }, "apt-get update"],
    [
      "would bring a newer server along",
      { adds: [cron], changes: ["postgresql-18 18.1 to 18.2"] },
      "apt-cache policy",
    ],
    ["would remove something", { adds: [cron], removes: ["rival"] }, "apt-cache policy"],
    ["would make a cluster", { adds: [cron], whyMainCluster: "/etc/x.conf" }, "include_dir"],
  ])("are refused where they %s, with the command that helps", (_, changed, hint) => {
    const sides = withPackages(packages(changed));
    const { status, reason } = checkOf(sides, "packages");
    expect(status).toBe("ko");
    expect(reason && render(reason).next).toContain(hint);
    expect(reason && render(reason).next).not.toContain("(not said)");
    expect(checkOf(sides, "extensions").status).toBe("ko");
    expect(firstOf(planOf(sides))?.id).toBe("export");
  });

  it.each([
    ["packages.not-debian", "ko"],
    ["packages.unsettled", "ko"],
    ["packages.no-plan", "ko"],
    ["packages.locked", "unknown"],
    ["measure.limit-passed", "unknown"],
  ] as const)("are refused for %s as %s, which nobody's word replaces", (code, wanted) => {
    const check = checkOf(withPackages({ at, unknown: { code, facts: { cause: "x" } } }), "packages");
    expect(check).toMatchObject({ status: wanted, yields: "never", reason: { code } });
    expect(en[`check.postgresql.packages.${wanted}`]).toBeDefined();
  });

  it("come before a library is named to a server: one that it does not find keeps it from starting", () => {
    const sides: Sides = {
      source: { settings: { shared_preload_libraries: "pg_cron" } },
      shop: { extensions: [{ name: "pg_cron", version: "1.6" }] },
    };
    const hintOf = (found: Sides) =>
      render({ code: "check.postgresql.preload.ko", facts: checkOf(found, "preload").facts }).next;
    expect(hintOf(sides)).toMatch(/^ALTER SYSTEM/);
    expect(hintOf(withPackages(adding, sides))).toMatch(
      /^apt-get install postgresql-18-cron=1\.6\.4-2 there first/,
    );
  });
});

describe("the way back", () => {
  const plan = planOf(withPackages(adding));
  const back = (begun: readonly string[], of: Plan) => {
    const nodes = [{ node: "new", begun, isChanged: false }];
    const made = postgresql.planBack?.(inputOf({ to: "15" }), { rollout: "r1", plan: of, nodes });
    if (made?.ok !== true) throw new Error(made?.failure.code);
    return made.value;
  };
  const stepsOn = ({ stages }: Plan, node: string) =>
    stages.flatMap((stage) =>
      stage.kind === "cluster"
        ? stage.phases.flatMap(({ programs }) =>
            programs.flatMap((program) => (program.node === node ? program.steps.map(({ id }) => id) : [])),
          )
        : [],
    );

  it("takes them away before the new server was opened, after its databases and before the notes go", () => {
    const ids = stepsOn(back(["add-packages", "load-roles"], plan), "new");
    expect(ids).toContain("remove-packages");
    expect(ids.indexOf("remove-packages")).toBeGreaterThan(ids.indexOf("drop-loaded-1"));
    expect(ids.indexOf("remove-packages")).toBeLessThan(ids.indexOf("forget"));
  });

  it("leaves them once it was", () => {
    expect(stepsOn(back(["add-packages", "open-writes"], plan), "new")).not.toContain("remove-packages");
  });

  it("has no such step of a move that had none", () => {
    expect(stepsOn(back([], planOf({})), "new")).not.toContain("remove-packages");
  });
});
