/** A host without a server's programs, where its own file names the packages that bring them. */
import { describe, expect, it } from "vitest";
import type { Plan } from "#coordinator/domain/plan.ts";
import { postgresql } from "#coordinator/playbooks/postgresql.ts";
import type { PgMade } from "#proto/engines/postgresql-made.ts";
import type { PgPackages } from "#proto/engines/postgresql-packages.ts";
import { database, is, type Sides } from "../pair.ts";
import { makingInput, place, source } from "./cluster.ts";

const server = {
  name: "postgresql-18",
  version: "18.1-1",
  architecture: "amd64",
  origin: "Debian",
  isNamed: true,
};
const packages: PgPackages = {
  installed: [],
  notFound: [],
  adds: [server],
  changes: [],
  removes: [],
  whyMainCluster: null,
};
/** As its agent tells it before anything is installed. */
const bare: Partial<PgMade> = {
  isToCome: true,
  unit: { ...place.unit, load: "not-found" },
  whyNoSocket: "/var/run/postgresql is no folder on this host",
  extensions: [],
  libraries: [],
};

function inputOf(sides: Sides = {}, { adds = packages, made = bare } = {}) {
  return makingInput({ ...sides, target: { facts: { packages: is(adds) } } }, made);
}

function findings(...given: Parameters<typeof inputOf>): readonly string[] {
  return postgresql
    .check(inputOf(...given))
    .filter(({ status }) => status !== "ok")
    .map(({ id, status }) => `${id.replace("postgresql.", "")} ${status}`);
}

function planOf(...given: Parameters<typeof inputOf>): Plan {
  const made = postgresql.plan(inputOf(...given));
  if (!made.ok) throw new Error(made.failure.code);
  return made.value;
}

const stepsIn = ({ stages }: Plan, id: string) =>
  stages
    .filter((stage) => stage.id === id)
    .flatMap((stage) =>
      "phases" in stage
        ? stage.phases.flatMap(({ programs }) => programs)
        : stage.kind === "preflight"
          ? stage.programs
          : [],
    )
    .filter(({ node }) => node === "new")
    .flatMap(({ steps }) => steps);

describe("a server whose programs come with packages", () => {
  const used = source({ settings: { shared_preload_libraries: "pg_cron" } });

  it("is not refused for what comes with them", () => {
    expect(findings(used)).toEqual([
      "packages warn",
      "make-unit not-applicable",
      "make-socket not-applicable",
      "make-libraries not-applicable",
      "make-extensions not-applicable",
    ]);
  });

  it("is refused for what they do not bring, and where nothing comes", () => {
    const masked = { ...bare, unit: { ...place.unit, load: "masked" }, taken: ["/data18"] };
    expect(findings({}, { made: masked })).toEqual(
      expect.arrayContaining(["make-unit ko", "make-folders ko"]),
    );
    expect(findings({}, { adds: { ...packages, adds: [], notFound: ["postgresql-18"] } })).toEqual(
      expect.arrayContaining(["packages ko", "make-unit ko", "make-extensions ko"]),
    );
  });

  it("is made after they are installed and proven; nothing looks for its programs before", () => {
    const plan = planOf({
      ...used,
      shop: database("shop", { extensions: [{ name: "pg_cron", version: "1" }] }),
    });
    const [look] = plan.stages;
    // an agent refuses a program without a step
    expect(look?.kind === "preflight" && look.programs.map(({ node }) => node)).toEqual(["old"]);
    const steps = stepsIn(plan, "make");
    expect(steps.slice(0, 4).map(({ id }) => id)).toEqual([
      "add-packages",
      "prove-brought",
      "prove-free",
      "make-data",
    ]);
    const [add, prove] = steps;
    expect(add?.call.args["for"]).toBe("server");
    expect(add?.undo).toEqual({ verb: "postgresql.remove-packages", args: { for: "server" } });
    expect(JSON.parse(prove?.call.args["libraries"] ?? "")).toEqual(["pg_cron"]);
    expect(JSON.parse(prove?.call.args["extensions"] ?? "")).toContain("pg_cron");
    expect(plan.boundTo["node.new.packages"]).toContain("postgresql-18=18.1-1");
  });

  it("is looked at before where its programs are there, and only an extension comes", () => {
    const plan = planOf({}, { made: { libraries: [] } });
    expect(stepsIn(plan, "look").map(({ id }) => id)).toEqual(["prove-free"]);
    expect(stepsIn(plan, "make")[0]?.id).toBe("add-packages");
  });

  it("goes on its way back, and they go last", () => {
    const plan = planOf();
    const back = postgresql.planBack?.(inputOf(), { rollout: "r1", plan, nodes: [] });
    if (back?.ok !== true) throw new Error(back?.failure.code);
    const ids = stepsIn(back.value, "remove").map(({ id }) => id);
    expect(ids.slice(-2)).toEqual(["give-back-data", "remove-packages"]);
    const plain = postgresql.plan(makingInput());
    if (!plain.ok) throw new Error(plain.failure.code);
    const without = postgresql.planBack?.(makingInput(), { rollout: "r1", plan: plain.value, nodes: [] });
    expect(without?.ok === true && stepsIn(without.value, "remove").map(({ id }) => id)).not.toContain(
      "remove-packages",
    );
  });
});
