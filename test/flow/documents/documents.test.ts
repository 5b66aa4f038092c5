/**
 * The documents' commands, typed as they stand, against a fleet of real processes in the state of which the page
 * speaks. What they end with is what the page says.
 */
import { appendFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { elsewhere } from "#test/contract/documents/elsewhere.ts";
import { repository, type TypedCommand, typed } from "#test/contract/documents/page.ts";
import { demoWords } from "#test/demo/script.ts";
import { ProcessFleet } from "#test/flow/processes/harness/fleet.ts";
import { bundle, onlyFull } from "../processes/harness/preface.ts";
import { goneScenes, inPlaceScenes, madeScenes, postgresqlScenes } from "./scenes.ts";
import { inventoryOf, Typist } from "./typist.ts";

const allUpgraded = ["3.1.0 ready", "3.1.0 ready", "3.1.0 ready"];
const skipUnlessFull = onlyFull("a rollout of its own");
const storyLimitMs = 600_000;
const words = `${demoWords.join(" ")} --reason "nobody's data"`;
const here = typed.filter(
  ({ text }) => !/^(make |dist\/)/.test(text) && !elsewhere.some(({ command }) => command === text),
);

const dist = bundle();
let fleet: ProcessFleet;
let typist: Typist;

async function type(text: string, exitCode = 0): Promise<string> {
  const { code, said } = await typist.type(text);
  expect(code, `${text}\n${said}`).toBe(exitCode);
  return said;
}

async function play(...scenes: readonly string[]): Promise<void> {
  for (const scene of scenes) {
    const commands = here.filter((command) => command.scene === scene);
    expect(commands.length, scene).toBeGreaterThan(0);
    for (const command of commands) await typeAsWritten(command);
  }
}

async function typeAsWritten({ place, text, exitCode }: TypedCommand): Promise<void> {
  const addressed = text.replaceAll("127.0.0.1:7440", fleet.coordinators[0]?.address ?? "");
  const { code, said } = await typist.type(addressed);
  expect(code, `${place}: ${addressed}\n${said}`).toBe(exitCode);
}

async function makePlan(): Promise<void> {
  await type("sha=$(lockkeeper artefact push KWDB-3.1.0.tar.gz)");
  await type("lockkeeper plan billing --to 3.1.0 --sha256 $sha -o plan.json");
}

function host(name: string) {
  const found = fleet.hosts.find(({ options }) => options.name === name);
  if (found === undefined) throw new Error(`no host ${name}`);
  return found;
}

async function startDatabase(name: string): Promise<void> {
  await host(name).faults({});
  await host(name).run("systemctl", ["start", "kaiwudb"]);
  await fleet.until(`${name} is ready`, async () => (await host(name).readyStatus()) === 200);
}

/** The rollout has stopped at db2, which does not come back. */
async function stopAtDb2(): Promise<void> {
  await makePlan();
  await host("db2").faults({ die_after_ms: "300" });
  await type(`lockkeeper apply plan.json -y ${words}`, 5);
}

const stories = {
  readme: ["", "fleet"],
  notBack: ["stopped", "host", "mended"],
  steered: ["refused", "claimed", "freeze", "approve", "skip", "abort", "drift", "unproven", "gone"],
  paused: ["paused"],
  broken: ["broken", "unbroken"],
  back: ["back"],
} as const;

const playedElsewhere = [...postgresqlScenes, ...inPlaceScenes, ...madeScenes, ...goneScenes];

it("every scene of the documents has its story", () => {
  const told = [...Object.values(stories).flat(), ...playedElsewhere];
  expect(new Set(here.map(({ scene }) => scene))).toEqual(new Set<string>(told));
});

describe("against a fleet", { timeout: storyLimitMs }, () => {
  beforeEach(async () => {
    fleet = await ProcessFleet.start(dist(), { coordinators: 1 });
    typist = await Typist.sitDown(fleet, dist(), await inventoryOf(fleet, repository("README.md")));
  }, 180_000);

  afterEach(async () => {
    await typist?.[Symbol.asyncDispose]();
    await fleet?.stop();
  }, 60_000);

  it("README.md, from nothing to an upgraded cluster, and what every fleet can be asked", async () => {
    await play(...stories.readme);
    expect(await fleet.versions()).toEqual(allUpgraded);
  });

  it("a node does not come back", async (context) => {
    skipUnlessFull(context);
    await stopAtDb2();
    await play("stopped", "host");
    await startDatabase("db2");
    await play("mended");
    expect(await fleet.versions()).toEqual(allUpgraded);
  });

  it("a person steers", async (context) => {
    skipUnlessFull(context);
    await makePlan();
    await play("refused");
    await type(`lockkeeper apply plan.json -y ${words} --approve-each`, 8);
    await play("claimed", "freeze", "approve", "skip", "abort");
    await makePlan();
    await type(`lockkeeper apply plan.json -y ${words} --approve-each`, 8);
    await appendFile(host("db2").path("/etc/kaiwudb/script/kaiwudb_env"), "# changed by hand\n");
    await type("lockkeeper approve billing", 5);
    await play("drift");
    await loseMemory("db3");
    await type(`lockkeeper apply plan.json -y ${words}`, 5);
    await play("unproven");
    expect(await fleet.versions()).toEqual(allUpgraded);
    await fleet.agent("db2").kill();
    await sleep(1_000);
    await play("gone");
  });

  it("a pause", async (context) => {
    skipUnlessFull(context);
    await makePlan();
    await type(`lockkeeper apply plan.json -y ${words} --detach`);
    await play(...stories.paused);
  });

  it("the lock is broken", async (context) => {
    skipUnlessFull(context);
    await stopAtDb2();
    await fleet.agent("db2").kill();
    await sleep(1_000);
    await play("broken");
    await startDatabase("db2");
    fleet.agent("db2").start();
    await fleet.untilAttached();
    await play("unbroken");
    expect(await fleet.versions()).toEqual(allUpgraded);
  });

  it("the way back", async (context) => {
    skipUnlessFull(context);
    await stopAtDb2();
    await host("db2").faults({});
    await play(...stories.back);
    expect(await fleet.versions()).toEqual(["3.0.0 ready", "3.0.0 ready", "3.0.0 ready"]);
  });
});

async function loseMemory(node: string): Promise<void> {
  await fleet.agent(node).kill();
  await rm(join(fleet.folder, `agent-${node}`), { recursive: true, force: true });
  fleet.agent(node).start();
  await fleet.untilAttached();
}
