// KWDB in containers of real Docker engines: each way from the old version to the new one, seen from outside.
import { afterEach, expect, it } from "vitest";
import { describeLongLab, type RunResult } from "../harness/index.ts";
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
import { clusterName, type FleetSpec, type LabFleet, startFleet } from "./fleet.ts";
import { outagesOf, versionWrittenAt } from "./records.ts";

await describeLongLab("KWDB in containers", () => {
  let fleet: LabFleet | undefined;

  afterEach(async () => {
    await fleet?.[Symbol.asyncDispose]();
  });

  async function begun(spec: FleetSpec): Promise<LabFleet> {
    fleet = await startFleet({ deployment: "container", ...spec });
    return fleet;
  }

  const nodesOf = (of: LabFleet) => (of.cluster as ContainerCluster).nodes;

  async function expectCode(of: LabFleet, ended: RunResult, code: number): Promise<void> {
    expect(ended.code, await of.explained(ended)).toBe(code);
  }

  it("as deploy.sh installs it: a standalone node", async () => {
    const of = await begun({
      name: "service-one",
      names: ["db1"],
      topology: "single",
      version: "2.2.0",
      to: "2.2.1",
      start: startServiceCluster,
    });
    const [db1] = nodesOf(of);
    if (db1 === undefined) throw new Error("no node");
    await expectCode(of, await of.upgrade(), 0);
    await expectAt(db1, "2.2.1");
  });

  it("as deploy.sh installs it: three nodes one after another, after a failed docker load was mended", async () => {
    const of = await begun({
      name: "service-three",
      version: "3.0.0",
      to: "3.1.0",
      start: startServiceCluster,
    });
    const [, db2] = nodesOf(of);
    if (db2 === undefined) throw new Error("no node");
    await db2.faults({ docker_load: "fails" });
    await expectCode(of, await of.upgrade(400_000), 5);
    const why = await of.must("why", clusterName);
    expect(why).toContain("docker load failed");
    expect(await db2.versionFile()).toBe("3.0.0");
    expect(await db2.mainPid()).toBe(0);
    expect(nodesOf(of).length).toBe(3);
    await db2.faults({});
    const [, command = ""] = /command: lockkeeper (.+)$/m.exec(why) ?? [];
    await expectCode(of, await of.longCli(400_000, ...command.trim().split(/\s+/)), 0);
    for (const node of nodesOf(of)) await expectAt(node, "3.1.0");
    expect(await of.lock()).toMatchObject({ state: "free" });
  });

  it("as deploy.sh installs it: a single-replica cluster, all stopped before the first is changed", async () => {
    const of = await begun({
      name: "service-offline",
      topology: "single-replication",
      // three engines on one machine: a node that is only slow is not dead
      tickScale: 0.5,
      version: "3.0.0",
      to: "3.1.0",
      start: startServiceCluster,
    });
    const began = new Date();
    await expectCode(of, await of.upgrade(400_000), 0);
    for (const node of nodesOf(of)) {
      await expectAt(node, "3.1.0");
      expect(await node.versionFile()).toBe("3.1.0");
    }
    expect((await nodesOf(of)[0]?.status())?.length).toBe(3);
    expect(await of.lock()).toMatchObject({ state: "free" });
    await expectNeverMixed(nodesOf(of), began);
  });

  it.each([false, true])("by docker run, with certificates: %s", async (secure) => {
    const of = await begun({
      name: secure ? "run-secure" : "run-insecure",
      names: ["db1"],
      topology: "single",
      version: "3.0.0",
      to: "3.0.1",
      agentSettings: `container: ${ownContainer}`,
      start: startByRun(secure),
    });
    const [db1] = nodesOf(of);
    if (db1 === undefined) throw new Error("no node");
    const before = await db1.given();
    await expectCode(of, await of.upgrade(), 0);
    await expectAt(db1, "3.0.1");
    // word for word, the anonymous volume by its name included
    expect(await db1.given()).toEqual(before);
  });

  it("by a compose file: one line of it changes, and the volumes are the same ones", async () => {
    const of = await begun({
      name: "composed",
      names: ["db1"],
      topology: "single",
      version: "3.0.0",
      to: "3.0.1",
      agentSettings: `compose: ${ownComposeFile}`,
      start: startByCompose,
    });
    const [db1] = nodesOf(of);
    if (db1 === undefined) throw new Error("no node");
    const [text, volumes] = [await db1.host.read(ownComposeFile), await db1.given()];
    await expectCode(of, await of.upgrade(), 0);
    await expectAt(db1, "3.0.1");
    expect((await db1.given()).volumes).toEqual(volumes.volumes);
    expect(await db1.host.read(ownComposeFile)).toBe(
      text?.replace(
        `image: ${imageTag("3.0.0")} # the vendor's`,
        `image: ${imageTag("3.0.1")} # the vendor's`,
      ),
    );
  });
});

/** By the hosts' own records, and by the engines' of when each new container was started. */
async function expectNeverMixed(nodes: readonly ContainerNode[], began: Date): Promise<void> {
  const outages = (await Promise.all(nodes.map((node) => outagesOf(node, began)))).flat();
  const written = (await Promise.all(nodes.map(versionWrittenAt))).map(Number);
  expect(outages.map(({ node }) => node)).toEqual(nodes.map(({ host }) => host.name));
  for (const { from } of outages) expect(from.getTime()).toBeLessThan(Math.min(...written));
  for (const node of nodes) {
    const startedAt = Date.parse(await node.inspect("{{.State.StartedAt}}"));
    expect(startedAt).toBeGreaterThan(Math.max(...written));
  }
}

async function expectAt(node: ContainerNode, version: string): Promise<void> {
  const rows = await node.status();
  expect(rows.map(({ build, isLive, isAvailable }) => `${build} ${isLive} ${isAvailable}`)).toEqual(
    rows.map(() => `${version} true true`),
  );
  expect(await node.inspect("{{.Config.Image}}")).toBe(imageTag(version));
  const wanted = await node.host.must([
    "docker",
    "image",
    "inspect",
    "--format",
    "{{.Id}}",
    imageTag(version),
  ]);
  expect(await node.inspect("{{.Image}}")).toBe(wanted.trim());
  // nothing of ours is left
  expect((await node.imageTags()).filter((tag) => tag.startsWith("lockkeeper"))).toEqual([]);
  expect((await node.names()).filter((name) => name.includes("-before-"))).toEqual([]);
}
