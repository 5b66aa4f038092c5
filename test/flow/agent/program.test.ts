import { afterEach, describe, expect, it } from "vitest";
import { ProgramOutcome, StepPhase } from "#proto/gen/lockkeeper/v1/program_pb.ts";
import { AgentProcess } from "./harness/agent-process.ts";
import { noticeOf, programOf, toolStep } from "./harness/program.ts";
import { TestCoordinator } from "./harness/test-coordinator.ts";

const open: { coordinator: TestCoordinator; agent: AgentProcess }[] = [];

async function pair() {
  const coordinator = new TestCoordinator();
  await coordinator.listen();
  const agent = await AgentProcess.create([coordinator.address]);
  open.push({ coordinator, agent });
  return { coordinator, agent };
}

afterEach(async () => {
  for (const { coordinator, agent } of open.splice(0)) {
    await agent.remove();
    coordinator.close();
  }
});

describe("a program on a node", () => {
  it("runs its steps in order, each recorded before and after, under the lock", async () => {
    const { coordinator, agent } = await pair();
    agent.start();
    await coordinator.attach(1);
    const program = programOf([toolStep("stop"), toolStep("upgrade"), toolStep("start"), toolStep("ready")]);
    coordinator.send(noticeOf(program));
    coordinator.send({ $case: "runProgram", value: { program } });
    const ended = await coordinator.until(() => coordinator.of("programEnded")[0]);
    expect(ended.outcome).toBe(ProgramOutcome.DONE);
    expect(coordinator.received.map(({ $case }) => $case).slice(0, 3)).toEqual([
      "epochSeen",
      "programAccepted",
      "enterRequest",
    ]);
    const events = coordinator.of("stepEvent").map(({ step, phase }) => [step, phase]);
    expect(events).toEqual(
      ["stop", "upgrade", "start", "ready"].flatMap((id) => [
        [id, StepPhase.STARTED],
        [id, StepPhase.DONE],
      ]),
    );
    expect(await agent.lines("starts")).toEqual(["stop", "upgrade", "start", "ready"]);
  });
});
