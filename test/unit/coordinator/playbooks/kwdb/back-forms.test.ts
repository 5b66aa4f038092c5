/** The way back of containers and of builds from source: golden plans, where the old programs come from, what is refused. */
import { describe, expect, it } from "vitest";
import type { Plan } from "#coordinator/domain/plan.ts";
import type { ArtefactFacts } from "#coordinator/domain/playbook.ts";
import { planBack } from "#coordinator/playbooks/kwdb/back.ts";
import type { DockerEngine, Form } from "#proto/engines/kwdb.ts";
import { walk } from "../../domain/paper/walk.ts";
import { type Changed, factsOf, inputOf, is, type NodeName, names } from "./cluster.ts";
import { type Contained, containerOf, engine, inputIn } from "./contained.ts";
import { build, compiled } from "./from-source.ts";
import { type Past, undone } from "./undone.ts";

const oldId = `sha256:${"9".repeat(64)}`;
const newId = `sha256:${"8".repeat(64)}`;
const oldName = "kwdb/kwdb:3.0.0";
const old = { id: oldId, names: ["lockkeeper-kept:db1-3.0.0-to-3.0.1-r1", oldName] };
const next = { id: newId, names: ["kwdb/kwdb:3.0.1"] };
const named = (digest: string) => ({ cluster: { settings: { "old-package": digest } } });
const fromRegistry = `kwdb/kwdb@sha256:${"4".repeat(64)}`;
const golden = (name: string) => `../../../../fixtures/coordinator/playbooks/kwdb/${name}.json`;
/** Without the playbook's number, which rises for reasons of its own. */
const textOf = (plan: Plan) =>
  `${JSON.stringify({ ...plan, boundTo: { ...plan.boundTo, playbook: "" } }, null, 2)}\n`;

const archived = (name: string) =>
  is([
    {
      path: `/srv/${name}.tar`,
      bytes: 10,
      about: {
        ...{ cluster: "账单", node: name, rollout: "r1", version: "3.0.0" },
        ...{ madeAt: "2026-02-01T09:00:00.000Z", kind: "cluster-stop", isProven: true },
      },
    },
  ]);
const withArchives = { cluster: { settings: { "archive-data": "true" } } };

interface Way {
  readonly form: Exclude<Form, "script" | "compiled">;
  readonly topology?: Changed["topology"];
  readonly begun?: Past["begun"];
  /** What the engine has now. */
  readonly images?: DockerEngine["images"];
  readonly archives?: boolean;
  readonly strategy?: "rolling" | "offline";
  /** Of the container, then and now. */
  readonly was?: Contained["container"];
  readonly now?: Contained["container"];
  readonly facts?: Record<string, unknown>;
  readonly cluster?: Contained["cluster"];
  readonly artefact?: ArtefactFacts;
}

function inContainers(of: Way) {
  const { form, topology = "standalone", images = [old, next], begun, archives = false } = of;
  const entry: Pick<Contained, "cluster"> = archives ? withArchives : {};
  const before = {
    form,
    topology,
    to: "3.0.1",
    ...entry,
    ...(of.was === undefined ? {} : { container: of.was }),
  };
  const past = undone(inputIn({ ...before, facts: archives ? roomFor() : {} }), begun);
  const nodes = names.map((name) => [
    name,
    {
      ...factsOf(name, "3.0.1"),
      ...{ form: is(form), docker: is({ ...engine, images }) },
      container: is({ ...containerOf(form), imageId: newId, image: "kwdb/kwdb:3.0.1", ...of.now }),
      saved: is([{ name: `${name}-3.0.0-to-3.0.1-r1`, rollout: "r1", differs: [] }]),
      keptPackages: is([]),
      ...(archives ? { archives: archived(name) } : {}),
      ...of.facts,
    },
  ]);
  const input = inputIn({
    ...{ form, topology, from: "3.0.1", to: "3.0.0", facts: Object.fromEntries(nodes) },
    cluster: { ...entry.cluster, ...of.cluster },
    wish: {
      back: past,
      artefact: of.artefact as never,
      ...(of.strategy === undefined ? {} : { strategy: of.strategy }),
    },
  });
  return planBack(input, past);
}

const roomFor = (): NonNullable<Changed["facts"]> =>
  Object.fromEntries(
    names.map((name) => [name, { archive: is({ folder: "/srv", availableBytes: 1e12, dataBytes: 1 }) }]),
  );

function planned(of: Way): Plan {
  const made = inContainers(of);
  if (!made.ok) throw new Error(JSON.stringify(made.failure));
  return made.value;
}
const refused = (of: Way) => {
  const made = inContainers(of);
  return made.ok ? "planned" : made.failure.code;
};
const stepsIn = (plan: Plan, node = "db1") =>
  plan.stages.flatMap((spec) =>
    spec.kind === "node"
      ? spec.node === node
        ? spec.program.steps
        : []
      : spec.kind === "cluster"
        ? spec.phases
            .flatMap(({ programs }) => programs.filter((each) => each.node === node))
            .flatMap((each) => each.steps)
        : spec.kind === "wait"
          ? []
          : spec.programs.filter((each) => each.node === node).flatMap((each) => each.steps),
  );
const idsIn = (plan: Plan, node?: string) => stepsIn(plan, node).map(({ id }) => id);
const argsIn = (plan: Plan, id: string) => stepsIn(plan).find((each) => each.id === id)?.call.args;

const half: Past["begun"] = [
  [
    "node-db1",
    "db1",
    ["keep-image", "drain", "stop", "set-aside", "create-container", "change-image-line", "start"],
  ],
];

describe("the way back of a cluster in containers", () => {
  it.each<readonly [string, Way]>([
    ["back-docker-run", { form: "docker-run", begun: half }],
    ["back-compose", { form: "compose", begun: half }],
    ["back-compose-with-data", { form: "compose", archives: true }],
    ["back-compose-service-rolling", { form: "compose-service", topology: "multi-replica" }],
    [
      "back-compose-service-single-replica",
      { form: "compose-service", topology: "single-replica", archives: true },
    ],
  ])("%s is as it was, and is walked to its end", async (name, of) => {
    const plan = planned(of);
    expect(walk(plan).state.end).toBe("done");
    await expect(textOf(plan)).toMatchFileSnapshot(golden(name));
  });

  it.each(["docker-run", "compose", "compose-service"] as const)(
    "of %s proves the old image before the stop, and lets what was kept go only at the end, of both rollouts",
    (form) => {
      const plan = planned({ form });
      const ids = idsIn(plan);
      expect(ids.indexOf("prove-old-image")).toBeLessThan(ids.indexOf("stop"));
      expect(plan.stages.at(-1)).toMatchObject({ id: "tidy", kind: "finish" });
      expect(ids.slice(-2)).toEqual(["forget-kept-before", "forget-kept"]);
      expect(argsIn(plan, "forget-kept-before")).toEqual({ label: "db1-3.0.0-to-3.0.1", of: "r1" });
      expect(argsIn(plan, "forget-kept")).toEqual({ label: "db1-3.0.1-to-3.0.0" });
      expect(argsIn(plan, "keep-image")).toEqual({ label: "db1-3.0.1-to-3.0.0" });
      // deploy.sh is never called downwards
      expect(ids).not.toContain("upgrade-package");
      expect(ids).not.toContain("restore-package");
    },
  );

  it("takes the image that the engine has, by its id, under the name that it had", () => {
    for (const form of ["docker-run", "compose", "compose-service"] as const) {
      const plan = planned({ form });
      const args = { digest: "", reference: "", version: "3.0.0", image: oldId, name: oldName };
      expect(argsIn(plan, "restore-image")).toEqual(args);
      expect(argsIn(plan, "prove-image")).toEqual(args);
      expect(idsIn(plan)).not.toContain("load-image");
    }
  });

  it("takes the package where the image is gone, and loads it before anything is stopped", () => {
    for (const form of ["docker-run", "compose", "compose-service"] as const) {
      const plan = planned({ form, images: [next], ...named("f".repeat(64)) });
      const ids = idsIn(plan);
      expect(ids.slice(0, 4)).toEqual(["stage-old-package", "prove-kept", "load-image", "prove-old-image"]);
      expect(argsIn(plan, "prove-old-image")).toMatchObject({ digest: "f".repeat(64), name: oldName });
      expect(plan.checks.find(({ id }) => id === "kwdb.back-package")?.status).toBe("warn");
    }
  });

  it("takes the package that is named with the plan, whatever else there is", () => {
    const artefact = { digest: "e".repeat(64), name: "KWDB-3.0.0.tar.gz", totalBytes: 1, facts: {} };
    const plan = planned({ form: "docker-run", artefact });
    expect(argsIn(plan, "create-container")).toMatchObject({ digest: artefact.digest });
    expect(argsIn(plan, "create-container")).not.toHaveProperty("image");
    expect(plan.artefact).toEqual({ digest: artefact.digest, name: artefact.name });
  });

  it("takes the registry's, by digest, where the old container had it from there", () => {
    for (const form of ["docker-run", "compose"] as const) {
      const plan = planned({ form, images: [next], was: { image: fromRegistry } });
      expect(idsIn(plan)[0]).toBe("pull-image");
      expect(argsIn(plan, "prove-image")).toEqual({ digest: "", reference: fromRegistry, version: "3.0.0" });
      expect(idsIn(plan)).not.toContain("restore-image");
    }
    // kept under our name, but its own cannot be given to it: a digest comes from the registry alone
    const kept = planned({
      form: "docker-run",
      images: [{ id: oldId, names: [] }, next],
      was: { image: fromRegistry },
    });
    expect(idsIn(kept)[0]).toBe("pull-image");
  });

  it("is refused by name where the image is nowhere, and says what to do", () => {
    for (const form of ["docker-run", "compose", "compose-service"] as const)
      expect(inContainers({ form, images: [next] })).toMatchObject({
        failure: { code: "kwdb.back-no-image", facts: { nodes: "db1", image: oldName, from: "3.0.0" } },
      });
    // deploy.sh's compose file takes what a package has loaded
    expect(refused({ form: "compose-service", images: [next], was: { image: fromRegistry } })).toBe(
      "kwdb.back-no-image",
    );
  });

  it("does not take the new image for the old one, as a rollout that was planned half-way has found it", () => {
    const of: Way = { form: "docker-run", was: { imageId: newId, image: "kwdb/kwdb:3.0.1" } };
    expect(refused(of)).toBe("kwdb.back-no-image");
  });

  it("of a standalone node goes on kept data with a word, or to the archive where there is one", () => {
    expect(planned({ form: "docker-run" })).toMatchObject({
      strategy: "rolling",
      asks: ["kwdb.back-on-kept-data"],
      pointOfNoReturn: "back-db1/start",
    });
    const plan = planned({ form: "docker-run", archives: true });
    expect(plan).toMatchObject({
      strategy: "offline",
      asks: ["kwdb.writes-lost"],
      pointOfNoReturn: "all-back/data/restore-data",
    });
    const ids = idsIn(plan);
    expect(ids.indexOf("create-container")).toBeLessThan(ids.indexOf("restore-data"));
    expect(ids.indexOf("restore-data")).toBeLessThan(ids.indexOf("start"));
  });

  it("does not put an archive back into the engine's volume", () => {
    const of: Way = { form: "docker-run", archives: true, now: { dataVolume: "kwdb-data" } };
    expect(inContainers({ ...of, strategy: "offline" })).toMatchObject({
      failure: { code: "kwdb.back-data-in-volume", facts: { node: "db1", volume: "kwdb-data" } },
    });
    expect(inContainers({ ...of, strategy: "rolling" })).toMatchObject({ ok: true });
  });

  it("of three nodes leaves alone the one that was not reached, and restores files where deploy.sh has changed them", () => {
    const plan = planned({
      form: "compose-service",
      topology: "multi-replica",
      begun: [
        ["node-db1", "db1", ["stop", "upgrade-package", "start"]],
        ["node-db2", "db2", ["stop", "upgrade-package"]],
      ],
    });
    expect(plan.stages.map(({ id }) => id)).toEqual([
      "prove-way-back",
      "back-db1",
      "back-db2",
      "finish",
      "tidy",
    ]);
    expect(plan.pointOfNoReturn).toBe("back-db1/restore-configuration");
    expect(idsIn(plan, "db3")).toEqual(["prove-version"]);
  });

  it("keeps nothing of an image line that names nothing any more", () => {
    const gone = { unknown: { code: "kwdb.image-missing", facts: {} }, at: "2026-02-01T10:00:00.000Z" };
    const plan = planned({ form: "compose-service", facts: { binary: gone } });
    expect(idsIn(plan)).not.toContain("keep-image");
    expect(idsIn(plan)).not.toContain("forget-kept");
  });

  it("is refused where the rollout went by another method", () => {
    expect(refused({ form: "docker-run", cluster: { deployment: "script" } })).toBe("kwdb.back-not-served");
  });

  it("asks what its steps stand on", () => {
    const asked = (form: Way["form"]) => planned({ form }).checks.map(({ id }) => id);
    expect(asked("docker-run")).toEqual(expect.arrayContaining(["kwdb.docker", "kwdb.container-repeatable"]));
    expect(asked("compose")).toEqual(expect.arrayContaining(["kwdb.docker", "kwdb.compose-file"]));
    expect(asked("compose-service")).toEqual(
      expect.arrayContaining(["kwdb.docker", "kwdb.back-configuration"]),
    );
    expect(asked("docker-run")).not.toContain("kwdb.back-configuration");
  });
});

describe("the way back of a build from source", () => {
  const folder = "/opt/kwdb.kept-3.0.0-r1";
  const keptBuild = { ...build, kept: [folder], recorded: ["r1"] };
  const forward = (changed: Changed = {}) => compiled({}, { to: "3.0.1", ...changed });

  interface Build {
    readonly topology?: NonNullable<Changed["topology"]>;
    readonly begun?: Past["begun"];
    readonly archives?: boolean;
    readonly build?: Partial<typeof keptBuild>;
    readonly facts?: Partial<Record<NodeName, Record<string, unknown>>>;
    readonly artefact?: ArtefactFacts;
  }

  function fromSource(of: Build) {
    const { topology = "standalone", archives = false } = of;
    const entry = archives ? withArchives : {};
    const room = archives ? roomFor() : {};
    const went = forward({ topology, ...entry });
    const facts = Object.fromEntries(names.map((name) => [name, { ...went.facts?.[name], ...room[name] }]));
    const past = undone(inputOf({ ...went, facts }), of.begun);
    const now = names.map((name) => [
      name,
      {
        ...factsOf(name, "3.0.1"),
        ...went.facts?.[name],
        build: is({ ...keptBuild, ...of.build }),
        saved: is([{ name: `${name}-3.0.0-to-3.0.1-r1`, rollout: "r1", differs: [] }]),
        ...(archives ? { archives: archived(name) } : {}),
        ...of.facts?.[name],
      },
    ]);
    const input = inputOf({
      ...forward({ topology, ...entry }),
      ...{
        from: "3.0.1",
        to: "3.0.0",
        facts: Object.fromEntries(now),
        wish: { back: past, artefact: of.artefact as never },
      },
    });
    return planBack(input, past);
  }
  function plannedOf(of: Build = {}): Plan {
    const made = fromSource(of);
    if (!made.ok) throw new Error(JSON.stringify(made.failure));
    return made.value;
  }

  it.each<readonly [string, Build]>([
    ["back-compiled-standalone", {}],
    ["back-compiled-rolling", { topology: "multi-replica" }],
    ["back-compiled-single-replica", { topology: "single-replica", archives: true }],
  ])("%s is as it was, and is walked to its end", async (name, of) => {
    const plan = plannedOf(of);
    expect(walk(plan).state.end).toBe("done");
    await expect(textOf(plan)).toMatchFileSnapshot(golden(name));
  });

  it("proves the kept build before the stop, and makes the start of that rollout again", () => {
    const plan = plannedOf();
    const ids = idsIn(plan);
    expect(ids.indexOf("prove-kept-build")).toBeLessThan(ids.indexOf("stop"));
    const order = [
      "stop",
      "put-build-back",
      "restore-start",
      "prove-build-back",
      "start",
      "prove-running-back",
    ];
    expect(ids.filter((id) => order.includes(id))).toEqual(order);
    expect(argsIn(plan, "put-build-back")).toEqual({ of: "r1", version: "3.0.0", from: "3.0.1" });
    expect(stepsIn(plan).find(({ id }) => id === "put-build-back")?.undo?.verb).toBe("kwdb.put-build-aside");
  });

  it.each<readonly [string, Build["build"]]>([
    ["is gone", { kept: [] }],
    ["is of another rollout", { kept: ["/opt/kwdb.kept-3.0.0-r7"] }],
    ["was never recorded", { recorded: ["r7"] }],
  ])("is refused by name where the kept build %s", (_, changed) => {
    expect(fromSource({ build: changed ?? {} })).toMatchObject({
      failure: { code: "kwdb.back-no-build", facts: { nodes: "db1", folder } },
    });
  });

  it("takes no package: the build that was put aside is the only one that is known file by file", () => {
    const artefact = { digest: "e".repeat(64), name: "x", totalBytes: 1, facts: {} };
    expect(fromSource({ artefact })).toMatchObject({ failure: { code: "kwdb.back-takes-no-package" } });
  });

  it("counts a node whose build was exchanged and never started: it is not at the old version by itself", () => {
    const begun: Past["begun"] = [
      ["all-nodes/change", "db1", ["exchange-build"]],
      ["all-nodes/change", "db2", ["exchange-build"]],
      ["all-nodes/start", "db1", ["start"]],
    ];
    const plan = plannedOf({ topology: "single-replica", begun, archives: true });
    expect(idsIn(plan, "db1")).toContain("put-build-back");
    expect(idsIn(plan, "db2")).toContain("put-build-back");
    expect(idsIn(plan, "db3")).not.toContain("put-build-back");
    expect(idsIn(plan, "db3")).toContain("restore-data");
  });
});
