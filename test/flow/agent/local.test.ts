import { appendFile, readFile, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { StepPhase } from "#proto/gen/lockkeeper/v1/program_pb.ts";
import { endOf, makePair, offer, phasesOf } from "./harness/pair.ts";
import { programOf, toolStep } from "./harness/program.ts";

describe("lockkeeper-agent on the host alone", () => {
  it("says from its journal what runs, beside the agent and after its death, with no coordinator", async () => {
    const pair = await makePair();
    await offer(pair, programOf([toolStep("stop"), toolStep("upgrade", { forMs: "3000" })]));
    await pair.coordinator.until(() => phasesOf(pair, "upgrade").includes(StepPhase.STARTED));
    const beside = await pair.agent.command("status", "--config", pair.agent.config);
    expect(beside).toMatchObject({ code: 0, stderr: "" });
    expect(beside.stdout).toMatch(/program {7}r1 node-db1, try 1: in flight/);
    expect(beside.stdout).toMatch(/steps {9}1 of 2 done, at upgrade, since /);
    pair.coordinator.close();
    await pair.agent.kill();
    const why = await pair.agent.command("why", "--config", pair.agent.config);
    expect(why.stdout).toContain("Node db1 is at step upgrade of node-db1 of rollout r1, since ");
    const json = await pair.agent.command("status", "--config", pair.agent.config, "-o", "json");
    expect(JSON.parse(json.stdout)).toMatchObject({
      node: "db1",
      program: { step: "upgrade", stepsDone: 1 },
      openTools: [expect.any(String)],
    });
  });

  it("says why an ended program holds the node", async () => {
    const pair = await makePair();
    await offer(pair, programOf([toolStep("upgrade", { exit: "3" })]));
    await endOf(pair);
    const why = await pair.agent.command("why", "--config", pair.agent.config);
    expect(why.stdout).toContain("has ended node-db1 of rollout r1 (failed) at step upgrade");
    expect(why.stdout).toContain("lockkeeper why r1");
  });

  it("refuses a second agent on one state folder, and leaves the first alone", async () => {
    const pair = await makePair();
    pair.agent.start();
    await pair.coordinator.attach(1);
    const second = await pair.agent.command("run", "--config", pair.agent.config);
    expect(second).toMatchObject({ code: 1 });
    expect(second.stderr).toContain(`${pair.agent.folder}/state`);
    pair.coordinator.send({ $case: "takeHealth", value: { request: "alive", depth: 1, limitMs: 2_000 } });
    await pair.coordinator.until(() => pair.coordinator.of("health").length > 0);
  });

  it("refuses a file with mistakes, each with its place, and starts nothing", async () => {
    const pair = await makePair();
    await writeFile(
      pair.agent.config,
      "node: db1\ncoordinators: [10.0.0.9:7440]\nstateDir: state\nengine: { kind: paper, settings: {} }\nsudo: yes\n",
    );
    const refused = await pair.agent.command("run", "--config", pair.agent.config);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain(`${pair.agent.config}:3:1: stateDir: must be an absolute path`);
    expect(refused.stderr).toContain(`${pair.agent.config}:5:1: there is no setting "sudo" here`);
  });

  it("cuts off a torn last record at its start, and refuses a journal that is damaged before it", async () => {
    const pair = await makePair();
    await offer(pair, programOf([toolStep("stop")]));
    await endOf(pair);
    await pair.agent.kill();
    const journal = `${pair.agent.folder}/state/journal`;
    await appendFile(journal, '0badc0de [{"n":999');
    pair.agent.start();
    await pair.coordinator.until(() => pair.coordinator.hellos[1]);
    expect(pair.agent.log).toContain("cut off a torn last line");
    await pair.agent.kill();
    const whole = await readFile(journal, "utf8");
    await writeFile(journal, whole.replace('"epoch":7', '"epoch":6'));
    pair.agent.start();
    expect(await pair.agent.ended()).toBe(1);
    expect(pair.agent.log).toContain(journal);
  });
});
