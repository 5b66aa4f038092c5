// A rollout that is given up when the old container is already out of the way: it comes back as the very same one, with
// its restart policy, and serves the old version.
import { afterEach, expect, it } from "vitest";
import { describeLongLab, until } from "../harness/index.ts";
import { AgentWatch } from "../product/agent-watch.ts";
import { whyOf } from "../product/typed.ts";
import { imageTag, ownComposeFile, ownContainer } from "./container-cluster.ts";
import type { ContainerNode } from "./container-node.ts";
import { clusterName, type LabFleet, startFleet } from "./fleet.ts";
import { type FormName, forms, markData, oldOnes, whatStands } from "./forms.ts";
import { onceBefore } from "./tool-hook.ts";

await describeLongLab("a rollout of a container that is aborted", () => {
  let fleet: LabFleet | undefined;

  afterEach(async () => {
    await fleet?.[Symbol.asyncDispose]();
    fleet = undefined;
  });

  async function begun(form: FormName): Promise<{ of: LabFleet; node: ContainerNode }> {
    const about = { name: `abort-${form}`, names: ["db1"], topology: "single", version: "3.0.0" } as const;
    fleet = await startFleet({ ...about, ...forms[form].spec, to: "3.0.1" });
    const node = fleet.node("db1") as ContainerNode;
    await markData(node, forms[form]);
    return { of: fleet, node };
  }

  async function abort(of: LabFleet): Promise<void> {
    await of.untilAttached();
    await of.cli("abort", clusterName, "--reason", "not today");
  }

  const isAborted = (of: LabFleet) => async () => (await of.rollout()).phase === "aborted";

  async function stopsAt(of: LabFleet, says: RegExp): Promise<void> {
    const ended = await of.upgrade();
    expect(ended.code, await of.explained(ended)).toBe(5);
    expect((await whyOf(of)).text).toMatch(says);
  }

  it("docker run: before the new one is made, also while a foreign container has the name", async () => {
    const { of, node } = await begun("docker-run");
    const [old, stood] = [await identity(node), await whatStands(node, forms["docker-run"])];
    const foreign = `docker run --detach --name ${ownContainer} --network none --restart=no \\
      --entrypoint /usr/bin/sleep ${imageTag("3.0.0")} 10000`;
    await onceBefore(node.host, "docker create", foreign);
    await stopsAt(of, /already in use/);
    await abort(of);
    await until(
      "the undo is refused",
      async () => {
        const why = await of.cli("why", clusterName);
        return why.stdout.includes("was not renamed");
      },
      60_000,
    );
    expect(await oldOnes(node)).toHaveLength(2);
    expect(await node.inspect("{{.HostConfig.RestartPolicy.Name}}")).toBe("no");
    console.log((await whyOf(of)).text);
    await node.host.must(["docker", "rm", "--force", ownContainer]);
    await of.longCli(120_000, ...(await whyOf(of)).command);
    if (!(await isAborted(of)())) await abort(of);
    await until("it is aborted", isAborted(of), 60_000);
    expect(await identity(node)).toEqual(old);
    expect(await whatStands(node, forms["docker-run"])).toEqual(stood);
  });

  it("docker run: when the new one is made and not started", async () => {
    const { of, node } = await begun("docker-run");
    const [old, stood] = [await identity(node), await whatStands(node, forms["docker-run"])];
    await using watch = await AgentWatch.holding(node.host, ["create-container done"]);
    const upgrading = stopsAt(of, /Cannot connect to the Docker daemon/);
    await watch.held("create-container done");
    await node.host.must(["systemctl", "stop", "docker.socket", "docker"]);
    await watch.letGo("create-container done");
    await upgrading;
    await node.host.must(["systemctl", "start", "docker"]);
    expect((await node.names()).length).toBe(2);
    await abort(of);
    await until("it is aborted", isAborted(of), 60_000);
    expect(await identity(node)).toEqual(old);
    expect(await whatStands(node, forms["docker-run"])).toEqual(stood);
  });

  it("compose: between the image line and up", async () => {
    const { of, node } = await begun("compose");
    const [old, stood] = [await identity(node), await whatStands(node, forms.compose)];
    const text = await node.host.read(ownComposeFile);
    await using watch = await AgentWatch.holding(node.host, ["change-image-line done"]);
    const upgrading = stopsAt(of, /the image is 3\.0\.0/);
    await watch.held("change-image-line done");
    expect(await node.host.read(ownComposeFile)).not.toBe(text);
    await node.host.must(["docker", "tag", imageTag("3.0.0"), imageTag("3.0.1")]);
    await watch.letGo("change-image-line done");
    await upgrading;
    await abort(of);
    await until("it is aborted", isAborted(of), 60_000);
    expect(await node.host.read(ownComposeFile)).toBe(text);
    expect(await identity(node)).toEqual(old);
    expect(await whatStands(node, forms.compose)).toEqual(stood);
  });
});

/** Which container it is, how it is restarted, what runs in it. */
async function identity(node: ContainerNode) {
  return {
    id: await node.inspect("{{.Id}}"),
    restart: await node.inspect("{{.HostConfig.RestartPolicy.Name}}"),
    builds: (await node.status()).map(({ build }) => build),
  };
}
