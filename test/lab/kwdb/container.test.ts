// KWDB in containers of real Docker engines: each way from the old version to the new one, seen from outside.
import { afterEach, expect, it } from "vitest";
import { describeLongLab, type RunResult } from "../harness/index.ts";
import { type ContainerCluster, imageTag, startServiceCluster } from "./container-cluster.ts";
import type { ContainerNode } from "./container-node.ts";
import { type FleetSpec, type LabFleet, startFleet } from "./fleet.ts";

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
});

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
