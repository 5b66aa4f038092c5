/** Clusters in containers: golden plans of each kind, what is refused by name, and the checks that only they have. */
import { describe, expect, it } from "vitest";
import type { Plan } from "#coordinator/domain/plan.ts";
import { checkCluster } from "#coordinator/playbooks/kwdb/checks.ts";
import { planUpgrade } from "#coordinator/playbooks/kwdb/plan.ts";
import type { Container, Form } from "#proto/engines/kwdb.ts";
import { walk } from "../../domain/paper/walk.ts";
import { is, unknown } from "./cluster.ts";
import { type Contained, composed, inputIn, repeats } from "./contained.ts";

function planIn(contained: Contained): Plan {
  const made = planUpgrade(inputIn(contained));
  if (!made.ok) throw new Error(made.failure.code);
  return made.value;
}

const reference = `kwdb/kwdb@sha256:${"5".repeat(64)}`;
const fromRegistry = { cluster: { settings: { image: reference } }, wish: { artefact: undefined as never } };

const golden = (name: string) => `../../../../fixtures/coordinator/playbooks/kwdb/${name}.json`;

describe("the plan of a cluster in containers", () => {
  it.each<readonly [string, Contained]>([
    ["compose-service-multi-replica", { form: "compose-service", topology: "multi-replica", to: "3.1.0" }],
    ["compose-service-single-replica", { form: "compose-service", topology: "single-replica", to: "3.1.0" }],
    ["compose-standalone", { form: "compose" }],
    ["docker-run-standalone", { form: "docker-run" }],
    ["docker-run-from-registry", { form: "docker-run", ...fromRegistry }],
  ])("%s is as it was", async (name, contained) => {
    await expect(`${JSON.stringify(planIn(contained), null, 2)}\n`).toMatchFileSnapshot(golden(name));
  });

  it.each<Contained>([
    { form: "compose-service", topology: "multi-replica" },
    { form: "compose-service", topology: "single-replica" },
    { form: "compose" },
    { form: "docker-run" },
  ])("$form, $topology, is walked to its end, and what was kept goes last", (contained) => {
    const plan = planIn(contained);
    const { state } = walk(plan);
    expect(state.end).toBe("done");
    expect(plan.stages.at(-1)).toMatchObject({ id: "tidy", kind: "finish" });
  });

  it("shows the new container's command line, quoted, and binds the agent to it", () => {
    const plan = planIn({ form: "docker-run", ...fromRegistry });
    const node = plan.stages.find((stage) => stage.kind === "node");
    const create = node?.program.steps.find(({ id }) => id === "create-container");
    expect(create?.shownAs).toBe(
      `docker create --name kwdb --privileged --publish 26257:26257/tcp --env 'SITE=north east' ${reference} ` +
        "./kwbase start-single-node --insecure",
    );
    expect(create?.call.args["words"]).toBe(repeats.sha256);
  });

  it("can be undone to the old container until the new version opens the data, and not after", () => {
    const plan = planIn({ form: "docker-run" });
    expect(plan.pointOfNoReturn).toBe("node-db1/start");
    const steps = plan.stages.flatMap((stage) => (stage.kind === "node" ? stage.program.steps : []));
    const at = (id: string) => steps.find((each) => each.id === id);
    expect(at("set-aside")?.undo?.verb).toBe("kwdb.bring-back");
    expect(at("create-container")?.undo?.verb).toBe("kwdb.remove-container");
    expect(at("start")).toMatchObject({ class: "irreversible" });
    expect(at("start")).not.toHaveProperty("undo");
  });

  it.each<readonly [string, Contained]>([
    ["kwdb.form-not-served", { form: "docker-run", topology: "multi-replica" }],
    ["kwdb.form-not-served", { form: "compose", topology: "single-replica" }],
    ["kwdb.form-not-container", { form: "script" }],
    ["kwdb.form-unknown", { form: "docker-run", facts: { db1: { form: unknown } } }],
    [
      "kwdb.forms-differ",
      { form: "compose-service", topology: "multi-replica", facts: { db2: { form: is("docker-run") } } },
    ],
    // deploy.sh takes a package only
    ["kwdb.package-missing", { form: "compose-service", ...fromRegistry }],
    ["kwdb.method-not-served", { form: "compose-service", wish: { method: "script" } }],
    ["kwdb.setting-unreadable", { form: "docker-run", cluster: { settings: { image: "kwdb/kwdb:3.1.0" } } }],
  ])("is refused: %s", (code, contained) => {
    const made = planUpgrade(inputIn(contained));
    expect(made.ok ? "planned" : made.failure.code).toBe(code);
  });

  it.each<readonly [string, Partial<Container>]>([
    ["its image", { imageId: "sha256:other" }],
    ["its words", { repeats: { ...repeats, sha256: "8".repeat(64) } }],
  ])("is bound to %s", (_, container) => {
    const bound = (of: Partial<Container>) => planIn({ form: "docker-run", container: of }).boundTo;
    expect(bound(container)).not.toEqual(bound({}));
  });
});

describe("the checks of a node in a container", () => {
  const status = (contained: Contained, id: string) =>
    checkCluster(inputIn(contained)).find((each) => each.id === `kwdb.${id}`)?.status;

  it.each<Form>(["compose-service", "compose", "docker-run"])(
    "are content with a %s that is well",
    (form) => {
      const results = checkCluster(inputIn({ form }));
      const bad = results.filter((each) => each.status !== "ok").map(({ id }) => id);
      expect(bad).toEqual(["kwdb.backup"]);
    },
  );

  it.each<readonly [string, Contained, string]>([
    ["docker", { form: "compose-service", engine: { compose: null } }, "ko"],
    ["docker", { form: "docker-run", engine: { compose: null } }, "ok"],
    ["docker", { form: "docker-run", facts: { db1: { docker: unknown } } }, "unknown"],
    ["container-name", { form: "compose-service", engine: { alike: ["kaiwudb-container-old"] } }, "ko"],
    [
      "compose-file",
      { form: "compose-service", container: { compose: { ...composed, services: ["a", "b"] } } },
      "ko",
    ],
    ["compose-file", { form: "compose", container: { compose: { ...composed, images: ["a", "b"] } } }, "ko"],
    [
      "container-repeatable",
      { form: "docker-run", container: { repeats: { ...repeats, refused: ["AutoRemove=true"] } } },
      "ko",
    ],
    ["image-room", { form: "docker-run", engine: { availableBytes: 1 } }, "ko"],
    ["container-form", { form: "docker-run", topology: "multi-replica" }, "ko"],
    ["container-form", { form: "docker-run", facts: { db1: { form: unknown } } }, "unknown"],
    ["deployed-as-declared", { form: "script" }, "ko"],
  ])("%s", (id, contained, wanted) => {
    expect(status(contained, id)).toBe(wanted);
  });
});
