// Going back where the database is in containers of a real Docker engine, or compiled from source: after a stop half-way
// and after a finished upgrade. The database's own rows are compared, and the engine's containers and images.
import { afterEach, expect, it } from "vitest";
import { hasCompiler } from "#test/doubles/kwdb/build-program.ts";
import { describeLongLab, type RunResult } from "../harness/index.ts";
import { startCompiledCluster, unit } from "./compiled-cluster.ts";
import { type CompiledNode, folder } from "./compiled-node.ts";
import {
  type ContainerCluster,
  imageTag,
  ownComposeFile,
  ownContainer,
  startByCompose,
  startByRun,
  startServiceCluster,
} from "./container-cluster.ts";
import type { ContainerNode } from "./container-node.ts";
import { archiveDir, clusterName, type FleetSpec, type LabFleet, startFleet } from "./fleet.ts";
import type { KwdbNode } from "./node.ts";

const data = "/var/lib/kaiwudb";
const canBuild = await hasCompiler();

await describeLongLab("a way back of containers and of builds from source", () => {
  let fleet: LabFleet | undefined;

  afterEach(async () => {
    await fleet?.[Symbol.asyncDispose]();
  });

  async function begun(spec: FleetSpec): Promise<LabFleet> {
    fleet = await startFleet(spec);
    await setDead(fleet, "40m");
    return fleet;
  }

  const inContainer = (form: "docker-run" | "compose", archives: boolean) => ({
    deployment: "container",
    names: ["db1"],
    topology: "single" as const,
    ...{ version: "3.0.0", to: "3.0.1", archives },
    agentSettings: [
      form === "docker-run" ? `container: ${ownContainer}` : `compose: ${ownComposeFile}`,
      ...(archives ? [`archiveDir: ${archiveDir}`] : []),
    ].join(", "),
    start: form === "docker-run" ? startByRun(false) : startByCompose,
  });
  const nodesOf = (of: LabFleet) => (of.cluster as ContainerCluster).nodes;
  function onlyNode(of: LabFleet): ContainerNode {
    const [db1] = nodesOf(of);
    if (db1 === undefined) throw new Error("no node");
    return db1;
  }

  it.each(["docker-run", "compose"] as const)(
    "%s: after the new container has died, on the data that it has, with the printed command",
    async (form) => {
      const of = await begun({ name: `back-half-${form}`, ...inContainer(form, false) });
      const db1 = onlyNode(of);
      const before = await came(db1);
      const text = await db1.host.read(ownComposeFile);
      const killed = killWhenStarted(db1, "3.0.1");
      await expectCode(of, await of.upgrade(), 5);
      await killed;
      const why = await of.must("why", clusterName);
      const [, command = ""] = /or back: lockkeeper (.+)$/m.exec(why) ?? [];
      const back = of.lab.file("back.json");
      const printed = await of.must(...wordsOf(command, back));
      expect(printed).toContain("prove-old-image");
      await expectCode(of, await of.applyFile(back, 300_000, "--ack", "kwdb.back-on-kept-data"), 0);
      await expectAt(of, "3.0.0");
      expect(await came(db1)).toEqual(before);
      expect((await db1.host.read(ownComposeFile))?.replace(/ #.*$/m, "")).toBe(
        text?.replace(/ # the.*$/m, ""),
      );
      expect(await dead(of)).toContain("40");
    },
  );

  it.each(["docker-run", "compose"] as const)(
    "%s: after a finished upgrade whose old image is gone, by the old package, to the data of the stop",
    async (form) => {
      const of = await begun({ name: `back-done-${form}`, ...inContainer(form, true) });
      const db1 = onlyNode(of);
      const before = await came(db1);
      await expectCode(of, await of.upgrade(), 0);
      await setDead(of, "50m");
      await db1.host.must(["docker", "rmi", imageTag("3.0.0")]);
      const refused = await of.cli("plan", "--back", clusterName);
      expect(`${refused.code} ${refused.stderr}`).toContain("--artefact");
      expect(refused.code).not.toBe(0);
      await of.keepOldPackage();
      const back = of.lab.file("back.json");
      const printed = await of.must("plan", "--back", clusterName, "-o", back);
      expect(printed).toContain("kwdb.writes-lost");
      await expectCode(of, await of.applyFile(back, 300_000, "--ack", "kwdb.writes-lost"), 0);
      await expectAt(of, "3.0.0");
      expect(await came(db1)).toEqual(before);
      expect(await dead(of)).toContain("40");
      expect((await db1.host.must(["sh", "-c", `ls -d ${data}.before-*`])).trim()).not.toBe("");
    },
  );

  it("as deploy.sh installs it: three nodes, one failed half-way, back on the data that they have", async () => {
    const of = await begun({
      ...{ name: "back-half-service", deployment: "container", version: "3.0.0", to: "3.1.0" },
      start: startServiceCluster,
    });
    const db2 = of.node("db2") as ContainerNode;
    const compose = await db2.host.read("/etc/kaiwudb/script/docker-compose.yml");
    await db2.faults({ version_copy: "fails" });
    await expectCode(of, await of.upgrade(400_000), 5);
    await db2.faults({});
    // deploy.sh has taken container and old image away
    expect(await db2.inspect("{{.Image}}")).toBe("");
    const why = await of.must("why", clusterName);
    expect(why).toMatch(/command: lockkeeper retry \S+ -n db2/);
    const [, command = ""] = /or back: lockkeeper (.+)$/m.exec(why) ?? [];
    const back = of.lab.file("back.json");
    await of.must(...wordsOf(command, back));
    await expectCode(of, await of.applyFile(back, 400_000, "--ack", "kwdb.back-on-kept-data"), 0);
    await expectAt(of, "3.0.0");
    expect(await db2.host.read("/etc/kaiwudb/script/docker-compose.yml")).toBe(compose);
    expect(await dead(of)).toContain("40");
  });

  it("as deploy.sh installs it: finished and regretted, the old image gone, by the old package to the data of the stop", async () => {
    const of = await begun({
      ...{ name: "back-done-service", deployment: "container", version: "2.2.0", to: "2.2.1" },
      ...{ names: ["db1"], topology: "single", archives: true, start: startServiceCluster },
    });
    await of.keepOldPackage();
    await expectCode(of, await of.upgrade(), 0);
    await setDead(of, "50m");
    const back = of.lab.file("back.json");
    await of.must("plan", "--back", clusterName, "-o", back);
    await expectCode(of, await of.applyFile(back, 300_000, "--ack", "kwdb.writes-lost"), 0);
    await expectAt(of, "2.2.0");
    expect(await dead(of)).toContain("40");
  });

  it.skipIf(!canBuild)(
    "compiled, by hand and finished: the kept build and its start, on the data that it has",
    async () => {
      const of = await begun({
        ...{ name: "back-built", deployment: "compiled", names: ["db1"], topology: "single" },
        ...{ version: "3.0.0", to: "3.1.0", agentSettings: `program: { folder: ${folder} }` },
        start: startCompiledCluster("hand"),
      });
      const db1 = of.node("db1") as CompiledNode;
      const words = (await db1.told("cmdline")).split("\0").slice(1);
      await expectCode(of, await of.upgrade(), 0);
      await setDead(of, "50m");
      const back = of.lab.file("back.json");
      const printed = await of.must("plan", "--back", clusterName, "-o", back);
      expect(printed).toContain("prove-kept-build");
      await expectCode(of, await of.applyFile(back, 300_000, "--ack", "kwdb.back-on-kept-data"), 0);
      expect((await db1.told("cmdline")).split("\0").slice(1)).toEqual(words);
      expect(await db1.told("limits")).toMatch(/^Max open files\s+4000\s+5000/m);
      expect(await dead(of)).toContain("50");
      await expectBuilt(of, "3.0.0");
    },
  );

  it.skipIf(!canBuild)(
    "compiled, three nodes by their units, one stopped half-way: back node by node",
    async () => {
      const of = await begun({
        ...{ name: "back-built-half", deployment: "compiled", version: "3.0.0", to: "3.1.0" },
        agentSettings: `program: { folder: ${folder}, unit: ${unit} }`,
        start: startCompiledCluster("unit"),
      });
      await of.node("db2").faults({ die_after_ms: "500" });
      await expectCode(of, await of.upgrade(400_000), 5);
      await of.node("db2").faults({});
      const why = await of.must("why", clusterName);
      const [, command = ""] = /or back: lockkeeper (.+)$/m.exec(why) ?? [];
      const back = of.lab.file("back.json");
      await of.must(...wordsOf(command, back));
      await expectCode(of, await of.applyFile(back, 400_000, "--ack", "kwdb.back-on-kept-data"), 0);
      await expectBuilt(of, "3.0.0");
      expect(await dead(of)).toContain("40");
    },
  );
});

/** As soon as it runs at that version. */
async function killWhenStarted({ host, container }: ContainerNode, version: string): Promise<void> {
  const script = `until [ "$(docker inspect --format '{{.Config.Image}} {{.State.Running}}' ${container} 2>/dev/null)" = "${imageTag(version)} true" ]
do sleep 0.1; done
docker kill ${container}`;
  await host.must(["sh", "-c", script], { timeoutMs: 240_000 });
}

/** The command that `why` prints, with the plan's file in the lab's folder. */
function wordsOf(command: string, back: string): readonly string[] {
  return command
    .trim()
    .split(/\s+/)
    .map((word) => (word === "back.json" ? back : word));
}

/** What its operator gave, and the image that it runs. */
async function came(node: ContainerNode) {
  return { ...(await node.given()), image: await node.inspect("{{.Config.Image}}") };
}

async function expectServing(of: LabFleet, version: string): Promise<void> {
  for (const node of of.nodes) {
    const rows = await node.status();
    expect(rows.map(({ build, isLive, isAvailable }) => `${build} ${isLive} ${isAvailable}`)).toEqual(
      of.nodes.map(() => `${version} true true`),
    );
  }
  expect(await of.lock()).toMatchObject({ state: "free" });
}

async function expectAt(of: LabFleet, version: string): Promise<void> {
  await expectServing(of, version);
  for (const node of of.nodes as readonly ContainerNode[]) {
    expect(await node.inspect("{{.Config.Image}}")).toBe(imageTag(version));
    // nothing of ours is left, of neither rollout
    expect((await node.imageTags()).filter((tag) => tag.startsWith("lockkeeper"))).toEqual([]);
    expect((await node.names()).filter((name) => name.includes("-before-"))).toEqual([]);
  }
}

async function expectBuilt(of: LabFleet, version: string): Promise<void> {
  await expectServing(of, version);
  for (const node of of.nodes) expect(await node.versionFile()).toBe(version);
}

async function expectCode(of: LabFleet, ended: RunResult, code: number): Promise<void> {
  expect(ended.code, await of.explained(ended)).toBe(code);
}

/** A row of the database itself, in its store. */
async function setDead(fleet: LabFleet, value: string): Promise<void> {
  const ran = await first(fleet).kwbase(
    "sql",
    "-e",
    `SET CLUSTER SETTING server.time_until_store_dead = '${value}'`,
  );
  expect(ran.code, `${ran.stdout}${ran.stderr}`).toBe(0);
}

async function dead(fleet: LabFleet): Promise<string> {
  const shown = "SHOW CLUSTER SETTING server.time_until_store_dead";
  return (await first(fleet).kwbase("sql", "--format=csv", "-e", shown)).stdout;
}

function first(fleet: LabFleet): KwdbNode {
  const [node] = fleet.nodes;
  if (node === undefined) throw new Error("no node");
  return node;
}
