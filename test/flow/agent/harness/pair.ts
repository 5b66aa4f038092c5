/** A coordinator and an agent that belong to one test, and are gone after it. */
import { afterEach } from "vitest";
import type { Program } from "#proto/gen/lockkeeper/v1/program_pb.ts";
import { AgentProcess } from "./agent-process.ts";
import { noticeOf } from "./program.ts";
import { TestCoordinator } from "./test-coordinator.ts";

export interface Pair {
  readonly coordinator: TestCoordinator;
  readonly agent: AgentProcess;
}

const open: Pair[] = [];

afterEach(async () => {
  for (const { coordinator, agent } of open.splice(0)) {
    await agent.remove();
    coordinator.close();
  }
});

/** With `others` the agent knows more coordinators than this one, which it tries first. */
export async function makePair(others: readonly string[] = []): Promise<Pair> {
  const coordinator = new TestCoordinator();
  await coordinator.listen();
  const agent = await AgentProcess.create([coordinator.address, ...others]);
  open.push({ coordinator, agent });
  return { coordinator, agent };
}

/** A started agent that has been announced the program's epoch and given the program. */
export async function offer({ coordinator, agent }: Pair, program: Program): Promise<void> {
  if (agent.pid === 0) agent.start();
  await coordinator.until(() => coordinator.attached);
  if (program.epoch > 0) coordinator.send(noticeOf(program));
  coordinator.send({ $case: "runProgram", value: { program } });
}

/** The end of the n-th program that has ended, from 1. */
export function endOf({ coordinator }: Pair, n = 1) {
  return coordinator.until(() => coordinator.of("programEnded")[n - 1]);
}

export function phasesOf({ coordinator }: Pair, step: string) {
  return coordinator
    .of("stepEvent")
    .filter((event) => event.step === step)
    .map(({ phase }) => phase);
}
