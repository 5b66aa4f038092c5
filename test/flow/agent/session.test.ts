import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { reportSchema } from "#proto/common/report.ts";
import { Depth } from "#proto/gen/lockkeeper/v1/health_pb.ts";
import { ProgramOutcome, StepPhase } from "#proto/gen/lockkeeper/v1/program_pb.ts";
import { endOf, makePair, offer, phasesOf } from "./harness/pair.ts";
import { programOf, toolStep } from "./harness/program.ts";
import { TestCoordinator } from "./harness/test-coordinator.ts";

const extra: { close(): void }[] = [];
afterEach(() => {
  for (const one of extra.splice(0)) one.close();
});

async function another(): Promise<TestCoordinator> {
  const coordinator = new TestCoordinator();
  await coordinator.listen();
  extra.push(coordinator);
  return coordinator;
}

describe("a program whose coordinator is gone", () => {
  it("runs to its end, and tells all of it in order to whoever comes back, from where that one stands", async () => {
    const pair = await makePair();
    const { coordinator } = pair;
    await offer(
      pair,
      programOf([
        toolStep("stop"),
        toolStep("upgrade", { forMs: "600" }),
        toolStep("start"),
        toolStep("ready"),
      ]),
    );
    await coordinator.until(() => phasesOf(pair, "upgrade").includes(StepPhase.STARTED));
    const { port } = coordinator;
    coordinator.close();
    const have = coordinator.of("stepEvent").at(-1)?.sequence ?? 0;
    for (let i = 0; i < 100 && !(await pair.agent.lines("starts")).includes("ready"); i++) await sleep(50);
    expect(await pair.agent.lines("starts")).toEqual(["stop", "upgrade", "start", "ready"]);
    const heir = new TestCoordinator();
    extra.push(heir);
    heir.behaviour = { welcome: () => ({ have: [{ rollout: "r1", sequence: have }] }) };
    await heir.listen(port);
    const ended = await heir.until(() => heir.of("programEnded")[0]);
    expect(ended.outcome).toBe(ProgramOutcome.DONE);
    const events = [...coordinator.of("stepEvent"), ...heir.of("stepEvent")];
    const wanted = ["stop", "upgrade", "start", "ready"].flatMap((id) => [
      [id, StepPhase.STARTED],
      [id, StepPhase.DONE],
    ]);
    expect(events.map(({ step: id, phase }) => [id, phase])).toEqual(wanted);
    expect(heir.hellos[0]?.unfinished).toMatchObject({ rollout: "r1", standing: expect.any(Number) });
  });

  it("is given up, and not begun, when the stream is cut between the question and its answer", async () => {
    const pair = await makePair();
    pair.coordinator.behaviour = { grants: false };
    const program = programOf([toolStep("stop")]);
    await offer(pair, program);
    await pair.coordinator.until(() => pair.coordinator.of("enterRequest")[0]);
    pair.coordinator.cut();
    pair.coordinator.behaviour = {};
    expect((await endOf(pair)).outcome).toBe(ProgramOutcome.NEVER_BEGUN);
    expect(await pair.agent.lines("starts")).toEqual([]);
  });
});

describe("finding the coordinator that leads", () => {
  it("passes by one that is dead, one that talks garbage and one that is silent", async () => {
    const garbage: Server = createServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")).listen(
      0,
      "127.0.0.1",
    );
    const silent: Server = createServer(() => undefined).listen(0, "127.0.0.1");
    await Promise.all([once(garbage, "listening"), once(silent, "listening")]);
    extra.push({ close: () => void garbage.close() }, { close: () => void silent.close() });
    const portOf = (server: Server) => (server.address() as { port: number }).port;
    const leader = await another();
    const pair = await makePair([
      `127.0.0.1:${portOf(garbage)}`,
      `127.0.0.1:${portOf(silent)}`,
      leader.address,
    ]);
    pair.coordinator.close();
    pair.agent.start();
    await leader.until(() => leader.attached, 25_000);
  });

  it("follows the leader's address, but not off loopback", async () => {
    const leader = await another();
    const pair = await makePair();
    let named = "192.0.2.1:7440";
    pair.coordinator.behaviour = { welcome: () => ({ leads: false, leader: named }) };
    pair.agent.start();
    await pair.coordinator.until(() => pair.coordinator.hellos.length >= 3);
    named = leader.address;
    await leader.until(() => leader.attached);
    expect(leader.hellos[0]?.node).toBe("db1");
  });

  it("comes back, again and again, to one that refuses it", async () => {
    const pair = await makePair();
    pair.coordinator.behaviour = {
      welcome: () => ({ refused: { code: "node.unknown", facts: { node: "db1" } } }),
    };
    pair.agent.start();
    await pair.coordinator.until(() => pair.coordinator.hellos.length >= 2);
    expect(pair.agent.log).toContain("node.unknown");
    pair.coordinator.behaviour = {};
    await pair.coordinator.until(() => pair.coordinator.beats.length > 0);
  });
});

describe("the stream", () => {
  it("ends with Goodbye when the agent is told to stop, and without one when it dies", async () => {
    for (const [signal, goodbyes] of [
      ["SIGTERM", 1],
      ["SIGKILL", 0],
    ] as const) {
      const pair = await makePair();
      pair.agent.start();
      await pair.coordinator.until(() => pair.coordinator.beats.length > 0);
      await pair.agent.kill(signal);
      await pair.coordinator.until(() => !pair.coordinator.attached);
      expect(pair.coordinator.of("goodbye").length).toBe(goodbyes);
    }
  });

  it("leaves a step in flight to the next life when the agent is told to stop", async () => {
    const pair = await makePair();
    await offer(pair, programOf([toolStep("slow", { forMs: "1500" }), toolStep("after")]));
    await pair.coordinator.until(() => phasesOf(pair, "slow").includes(StepPhase.STARTED));
    await pair.agent.kill("SIGTERM");
    pair.agent.start();
    expect((await endOf(pair)).outcome).toBe(ProgramOutcome.DONE);
    expect(await pair.agent.lines("starts")).toEqual(["slow", "after"]);
  });

  it("carries a report at each depth, and beats as often as the Welcome asks", async () => {
    const pair = await makePair();
    pair.coordinator.behaviour = { welcome: () => ({ beatMs: 500 }) };
    pair.agent.start();
    await pair.coordinator.until(() => pair.coordinator.beats.length >= 3);
    for (const [depth, name] of [
      [Depth.PULSE, "pulse"],
      [Depth.GATE, "gate"],
      [Depth.FULL, "full"],
    ] as const) {
      pair.coordinator.send({ $case: "takeHealth", value: { request: name, depth, limitMs: 5_000 } });
      const health = await pair.coordinator.until(() =>
        pair.coordinator.of("health").find(({ request }) => request === name),
      );
      const report = reportSchema.parse(JSON.parse(Buffer.from(health.reportJson).toString()));
      expect(report).toMatchObject({ node: "db1", depth: name, engine: "paper" });
      const space = report.host.fileSystems;
      expect("value" in space && space.value.map(({ path }) => path)).toEqual([
        "/data",
        `${pair.agent.folder}/state`,
      ]);
      expect("value" in report.host.memory && report.host.memory.value.totalBytes).toBeGreaterThan(0);
    }
  });
});
