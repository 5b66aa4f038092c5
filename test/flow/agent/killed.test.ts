/**
 * I3 and I5 at the agent: killed at every record of its journal, before and after the record is durable, it goes
 * on when it is started again; no step begins twice, and the coordinator sees every event once and in order.
 */
import { describe, expect, it } from "vitest";
import { ProgramOutcome, StepPhase } from "#proto/gen/lockkeeper/v1/program_pb.ts";
import { AgentProcess } from "./harness/agent-process.ts";
import { noticeOf, programOf, step, toolStep } from "./harness/program.ts";
import { TestCoordinator } from "./harness/test-coordinator.ts";

const program = programOf([
  toolStep("stop"),
  step("upgrade", "paper.litter", { name: "upgrade" }),
  step("start", "paper.write", { name: "start" }),
  toolStep("ready"),
]);

/** Records from the first start to the end of the program: 2 of the start, 4 of the lock, the steps, the end. */
const records = 24;
const full = process.env["LOCKKEEPER_TEST_FULL"] === "1";
const moments = full ? (["before", "after"] as const) : (["after"] as const);
const points = moments.flatMap((moment) =>
  Array.from({ length: records - 1 }, (_, i) => `${i + 2}:${moment}`),
);

async function runKilledAt(dieAt: string) {
  const coordinator = new TestCoordinator();
  await coordinator.listen();
  const agent = await AgentProcess.create([coordinator.address]);
  let highest = 0;
  coordinator.behaviour = { welcome: () => ({ have: [{ rollout: program.rollout, sequence: highest }] }) };
  try {
    agent.start(dieAt);
    const offered = offerUntilEnded(coordinator, () => {
      highest = Math.max(0, ...coordinator.of("stepEvent").map(({ sequence }) => sequence));
    });
    await agent.ended();
    agent.start();
    await offered;
    return { coordinator, agent, starts: await agent.lines("starts") };
  } finally {
    await agent.remove();
    coordinator.close();
  }
}

/** Does what the coordinator's engine does: announces and sends the program again after each attach. */
async function offerUntilEnded(coordinator: TestCoordinator, seen: () => void): Promise<void> {
  let offeredTo = 0;
  await coordinator.until(() => {
    seen();
    if (coordinator.attached && coordinator.hellos.length > offeredTo) {
      offeredTo = coordinator.hellos.length;
      coordinator.send(noticeOf(program));
      coordinator.send({ $case: "runProgram", value: { program } });
    }
    return coordinator.of("programEnded").length > 0;
  }, 30_000);
}

describe.concurrent("an agent killed at a record of its journal", () => {
  it.each(points)("goes on from record %s", async (dieAt) => {
    const { coordinator, starts } = await runKilledAt(dieAt);
    const ended = coordinator.of("programEnded").at(-1);
    const events = coordinator.of("stepEvent");
    const sequences = events.map(({ sequence }) => sequence);
    expect(sequences).toEqual([...new Set(sequences)].sort((a, b) => a - b));
    if (ended?.outcome === ProgramOutcome.NEVER_BEGUN) {
      // Killed between the question and its answer: nobody may say what was answered, so nothing was begun.
      expect(["5:after", "6:before"]).toContain(dieAt);
      expect(starts).toEqual([]);
      return;
    }
    expect(ended?.outcome).toBe(ProgramOutcome.DONE);
    expect(starts).toEqual(["stop", "start", "ready"]);
    const finished = events.filter(({ phase }) => phase === StepPhase.DONE || phase === StepPhase.FOUND_DONE);
    expect(finished.map(({ step: id }) => id)).toEqual(["stop", "upgrade", "start", "ready"]);
  });
});
