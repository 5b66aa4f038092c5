// What goes wrong around a container, one fault after the other on a real engine: never a success that was none, the
// message names the real cause, nothing of the old is lost, and the printed command mends it.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile, stat, truncate } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeEach, expect, it } from "vitest";
import type { BuiltPackage } from "#test/doubles/kwdb/build-package.ts";
import { describeLongLab, until } from "../harness/index.ts";
import { typePrinted, whyOf } from "../product/typed.ts";
import { imageTag, ownComposeFile, ownContainer } from "./container-cluster.ts";
import type { ContainerNode } from "./container-node.ts";
import { clusterName, type LabFleet, startFleet } from "./fleet.ts";
import { type FormName, forms, markData, oldOnes, whatStands } from "./forms.ts";
import { hasStruck, onceBefore } from "./tool-hook.ts";

interface Fault {
  readonly when: string;
  /** Before the upgrade. */
  prepare(node: ContainerNode): Promise<void>;
  /** In what `why` prints. */
  readonly says: RegExp;
  mend(node: ContainerNode): Promise<unknown>;
  /** Nothing was touched. */
  readonly serves?: boolean;
  /** What is not as before, by the fault itself. */
  readonly loses?: object;
  readonly limitMs?: number;
}

const must = (node: ContainerNode, script: string) =>
  node.host.must(["sh", "-ec", script], { timeoutMs: 90_000 });
const sleeper = (words: string) =>
  `docker run --detach ${words} --entrypoint /usr/bin/sleep ${imageTag("3.0.0")} 10000`;
const alsoBefore = (call: string, script: string) => (node: ContainerNode) =>
  onceBefore(node.host, call, script);
const letFail = (faults: string) => `echo ${faults} >/etc/kwdb-double/faults`;
const mendFaults = (node: ContainerNode) => node.faults({});
const startEngine = (node: ContainerNode) => must(node, "systemctl start docker");

// never the disk of the machine below
const fill = `df --output=source /var/lib/docker | grep -q /dev/loop || exit 99
free=$(df --output=avail --block-size=1 /var/lib/docker | tail -n 1)
fallocate -l $((free - 1000000)) /var/lib/docker/filler`;

const byRun: readonly Fault[] = [
  {
    when: "the engine's disk fills up while the image is loaded",
    prepare: alsoBefore("docker load", fill),
    says: /the image does not load: .*no space left on device/,
    mend: (node) => must(node, "rm -f /var/lib/docker/filler"),
    serves: true,
  },
  {
    when: "a foreign container takes the name",
    prepare: alsoBefore("docker create", sleeper(`--name ${ownContainer} --network none`)),
    says: /the new container was not made: .*name "\/kwdb" is already in use/,
    mend: (node) => must(node, `docker rm --force ${ownContainer}`),
  },
  {
    when: "a foreign container takes the port",
    prepare: alsoBefore("docker start", sleeper("--name squatter --publish 26257:26257")),
    says: /the container kwdb did not start .*port is already allocated/,
    mend: (node) => must(node, "docker rm --force squatter"),
  },
  {
    when: "the new version exits at once",
    prepare: alsoBefore("docker start", letFail("die_after_ms=1")),
    says: /the database in the container kwdb ended \(exit 2\)|the container kwdb did not start/,
    mend: mendFaults,
  },
  {
    when: "the engine is stopped before the old container is renamed",
    prepare: alsoBefore("docker rename", "systemctl stop docker.socket docker"),
    says: /Cannot connect to the Docker daemon/,
    mend: startEngine,
  },
  {
    when: "the engine is stopped before the new container is made",
    prepare: alsoBefore("docker create", "systemctl stop docker.socket docker"),
    says: /Cannot connect to the Docker daemon/,
    mend: startEngine,
  },
  {
    when: "the new version never gets ready",
    prepare: alsoBefore("docker start", letFail("never_ready=yes")),
    says: /is not ready/,
    mend: async (node) => {
      await mendFaults(node);
      await must(node, `docker restart ${ownContainer}`);
    },
    limitMs: 600_000,
  },
];

const byCompose: readonly Fault[] = [
  {
    when: "compose fails when it has removed the old container and made no new one",
    // on a volume without a name: it went with the container, and not by us
    loses: { own: "" },
    prepare: alsoBefore(
      "docker-compose up",
      `docker rm ${ownContainer} && echo "compose broke" >&2 && exit 17`,
    ),
    says: /the new container was not made: compose broke/,
    mend: async () => undefined,
  },
  {
    when: "compose is killed when it has made the new container and not started it",
    prepare: alsoBefore(
      "docker-compose up",
      `/usr/bin/docker-compose -f ${ownComposeFile} up --no-start && echo killed >&2 && exit 137`,
    ),
    says: /the container kwdb did not start \(created\): killed/,
    mend: async () => undefined,
  },
  {
    when: "a foreign container takes the port",
    prepare: alsoBefore("docker-compose up", sleeper("--name squatter --publish 26257:26257")),
    says: /did not start .*port is already allocated/,
    mend: (node) => must(node, "docker rm --force squatter"),
  },
];

await describeLongLab("what goes wrong around a container", () => {
  let fleet: LabFleet | undefined;
  let name: FormName | undefined;
  let patch = 0;
  let isClean = false;

  // What a failed test leaves behind is nobody's ground: the next one gets a host of its own.
  beforeEach(() => {
    if (!isClean) name = undefined;
    isClean = false;
  });

  afterAll(async () => {
    await fleet?.[Symbol.asyncDispose]();
  });

  async function fleetOf(form: FormName): Promise<LabFleet> {
    if (fleet === undefined || name !== form) {
      await fleet?.[Symbol.asyncDispose]();
      patch = 1;
      name = form;
      const about = { name: `faults-${form}`, names: ["db1"], topology: "single", version: "3.0.0" } as const;
      const more = form === "docker-run" ? { engineDiskMb: 2_500 } : {};
      fleet = await startFleet({ ...about, ...forms[form].spec, ...more, to: "3.0.1" });
      await markData(fleet.node("db1"), forms[form]);
    } else {
      patch += 1;
      await fleet.aim(`3.0.${patch}`);
    }
    return fleet;
  }

  async function tell(form: FormName, fault: Fault): Promise<void> {
    const of = await fleetOf(form);
    const node = of.node("db1") as ContainerNode;
    const before = await whatStands(node, forms[form]);
    await fault.prepare(node);
    const ended = await of.upgrade(fault.limitMs ?? 240_000);
    expect(ended.code, await of.explained(ended)).toBe(5);
    const { text } = await whyOf(of);
    expect(await hasStruck(node.host), text).toBe(true);
    expect(text).toMatch(fault.says);
    if (fault.serves === true) expect(await whatStands(node, forms[form])).toEqual(before);
    else if (form === "docker-run" && !/Docker daemon/.test(text))
      expect(await oldOnes(node)).toHaveLength(2);
    await fault.mend(node);
    const mended = await typePrinted(of);
    expect(mended.code, await of.explained(mended)).toBe(0);
    expect(await whatStands(node, forms[form])).toEqual({ ...before, ...fault.loses });
    expect((await node.status()).map(({ build }) => build)).toEqual([`3.0.${patch}`]);
    expect(await oldOnes(node)).toEqual([]);
    isClean = true;
  }

  for (const fault of byRun)
    it(`docker run: ${fault.when}`, () => tell("docker-run", fault), fault.limitMs ?? 400_000);

  for (const fault of byCompose) it(`compose: ${fault.when}`, () => tell("compose", fault), 400_000);

  it("a package whose image is damaged is found while the database serves, and a sound one is taken", async () => {
    const of = await fleetOf("docker-run");
    const node = of.node("db1") as ContainerNode;
    const before = await whatStands(node, forms["docker-run"]);
    await of.aim(`3.0.${patch}`, damaged);
    const ended = await of.upgrade();
    expect(ended.code, await of.explained(ended)).toBe(5);
    const { text } = await whyOf(of);
    expect(text).toMatch(/the image does not load: .*EOF|KaiwuDB.tar is not what docker save writes/);
    expect(await whatStands(node, forms["docker-run"])).toEqual(before);
    await of.cli("abort", clusterName, "--reason", "the package is damaged");
    await until("it is aborted", async () => (await of.rollout()).phase === "aborted", 60_000);
    await of.aim(`3.0.${patch}`);
    const again = await of.upgrade();
    expect(again.code, await of.explained(again)).toBe(0);
    expect(await whatStands(node, forms["docker-run"])).toEqual(before);
    isClean = true;
  });
});

/** Its image is cut off in mid layer. */
async function damaged({ folder, tarball }: BuiltPackage): Promise<BuiltPackage> {
  const tar = join(folder, "packages/KaiwuDB.tar");
  const inside = (await promisify(execFile)("tar", ["-tf", tar])).stdout;
  expect(inside).toContain("manifest.json");
  const { size } = await stat(tar);
  await truncate(tar, Math.floor((size * 2) / 3 / 512) * 512);
  await promisify(execFile)("tar", ["-C", dirname(folder), "-czf", tarball, "kwdb_install"]);
  const sha256 = createHash("sha256")
    .update(await readFile(tarball))
    .digest("hex");
  return { folder, tarball, sha256 };
}
