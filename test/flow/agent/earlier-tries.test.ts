/** A step is told what earlier tries of its stage have begun on this node: by the journal, not by their number. */
import { expect, it } from "vitest";
import { ProgramOutcome, type Step, StepClass } from "#proto/gen/lockkeeper/v1/program_pb.ts";
import { endOf, makePair, offer, type Pair } from "./harness/pair.ts";
import { programOf, step, toolStep, undoOf } from "./harness/program.ts";

const self = step("self", "paper.self", {}, { class: StepClass.OBSERVE });
const undoable = (id: string, exit = "0") => toolStep(id, { exit }, { undo: undoOf(id) });
const change = toolStep("upgrade", { exit: "1" }, { class: StepClass.IRREVERSIBLE });
const drained = [self, undoable("drain"), undoable("stop", "1")];

/** What the try was told. Events come again after a restart: they are known by the try. */
async function toldTo(
  pair: Pair,
  attempt: number,
  steps: readonly Step[],
  stage = "node-db1",
): Promise<string | undefined> {
  await offer(pair, programOf(steps, { attempt, stage }));
  const { coordinator } = pair;
  await coordinator.until(() => coordinator.of("programEnded").find((end) => end.attempt === attempt));
  return coordinator
    .of("stepEvent")
    .find((event) => event.attempt === attempt && event.outputs["begunBefore"] !== undefined)?.outputs[
    "begunBefore"
  ];
}

it("is nothing, then what was begun and not undone, also after a restart of the agent", async () => {
  const pair = await makePair();
  const { coordinator, agent } = pair;
  // the first try on this node need not be the stage's first
  expect(await toldTo(pair, 3, drained)).toBe("nothing");
  await agent.kill();
  agent.start();
  await coordinator.attach(2);
  expect(await toldTo(pair, 4, drained)).toBe("reversible");

  const value = { rollout: "r1", stage: "node-db1", epoch: 7, undo: true, ask: 0 };
  coordinator.send({ $case: "stopProgram", value });
  await coordinator.until(() =>
    coordinator.of("programEnded").find(({ outcome }) => outcome === ProgramOutcome.STOPPED),
  );
  expect(await toldTo(pair, 5, [self, undoable("drain"), change])).toBe("nothing");
  expect(await toldTo(pair, 6, [self])).toBe("irreversible");
});

it("counts what was begun in a later phase of the stage: what was saved before it stays the original", async () => {
  const pair = await makePair();
  expect(await toldTo(pair, 1, [self], "all-nodes/look")).toBe("nothing");
  expect(await toldTo(pair, 2, [self, change], "all-nodes/change")).toBe("nothing");
  expect(await toldTo(pair, 3, [self], "all-nodes/look")).toBe("irreversible");
});

it("is nothing for another rollout and another stage", async () => {
  const pair = await makePair();
  const { coordinator } = pair;
  await toldTo(pair, 1, [self, change]);
  coordinator.send({ $case: "programFreed", value: { rollout: "r1", stage: "node-db1", epoch: 7 } });
  for (const [index, other] of [{ rollout: "r2" }, { stage: "finish" }].entries()) {
    await offer(pair, programOf([self], { ...other, attempt: 2, epoch: 0, nonce: "" }));
    await endOf(pair, index + 2);
    const last = coordinator.of("stepEvent").findLast(({ step: id }) => id === "self");
    expect(last?.outputs).toEqual({ rollout: "r1", stage: "node-db1", begunBefore: "nothing", ...other });
  }
});
