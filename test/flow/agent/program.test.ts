import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { OnDeadline, ProgramOutcome, StepClass, StepPhase } from "#proto/gen/lockkeeper/v1/program_pb.ts";
import { endOf, makePair, offer, phasesOf } from "./harness/pair.ts";
import { noticeOf, programOf, step, toolStep, undoOf } from "./harness/program.ts";

const { STARTED, DONE, FOUND_DONE, FAILED, UNDONE, PROGRESS } = StepPhase;

describe("a program on a node", () => {
  it("runs its steps in order, each recorded before and after, under the lock", async () => {
    const pair = await makePair();
    await offer(
      pair,
      programOf([toolStep("stop"), toolStep("upgrade"), toolStep("start"), toolStep("ready")]),
    );
    expect((await endOf(pair)).outcome).toBe(ProgramOutcome.DONE);
    const kinds = pair.coordinator.received.map(({ $case }) => $case);
    expect(kinds.slice(0, 3)).toEqual(["epochSeen", "programAccepted", "enterRequest"]);
    const events = pair.coordinator.of("stepEvent").map(({ step: id, phase }) => [id, phase]);
    const wanted = ["stop", "upgrade", "start", "ready"].flatMap((id) => [
      [id, STARTED],
      [id, DONE],
    ]);
    expect(events).toEqual(wanted);
    expect(await pair.agent.lines("starts")).toEqual(["stop", "upgrade", "start", "ready"]);
  });

  it("gives later steps what earlier ones found, and the tail of a tool to the coordinator", async () => {
    const pair = await makePair();
    await offer(
      pair,
      programOf([
        toolStep("stop"),
        step("seen", "paper.look", { name: "stop" }, { class: StepClass.OBSERVE }),
      ]),
    );
    await endOf(pair);
    const [, stopped, , seen] = pair.coordinator.of("stepEvent");
    expect(stopped?.tail).toBe("all well\n");
    expect(stopped?.runner).toMatch(/^lockkeeper-r1-node-db1-stop-1/);
    expect(seen?.outputs).toEqual({ value: "done" });
  });

  it("needs no lock to look, and asks for it only before the first change", async () => {
    const pair = await makePair();
    const look = step("look", "paper.look", { name: "starts" }, { class: StepClass.OBSERVE });
    await offer(pair, programOf([look], { epoch: 0, nonce: "", stage: "preflight" }));
    expect((await endOf(pair)).outcome).toBe(ProgramOutcome.DONE);
    expect(pair.coordinator.of("enterRequest")).toEqual([]);
    await offer(pair, programOf([look, toolStep("stop")]));
    await endOf(pair, 2);
    const kinds = pair.coordinator.received.map((message) =>
      message.$case === "stepEvent" ? message.value.step : message.$case,
    );
    expect(kinds.indexOf("enterRequest")).toBeGreaterThan(kinds.lastIndexOf("look"));
  });

  it("stops at a step that fails, undoes nothing, and takes no other program until it is freed", async () => {
    const pair = await makePair();
    const program = programOf([
      toolStep("stop", {}, { undo: undoOf("stop") }),
      toolStep("upgrade", { exit: "3" }),
      toolStep("start"),
    ]);
    await offer(pair, program);
    const ended = await endOf(pair);
    expect(ended).toMatchObject({
      outcome: ProgramOutcome.FAILED,
      step: "upgrade",
      failure: { code: "paper.tool-failed" },
    });
    expect(await pair.agent.lines("starts")).toEqual(["stop", "upgrade"]);
    const other = programOf([toolStep("stop")], { rollout: "r2", epoch: 8, nonce: "n8" });
    await offer(pair, other);
    const seen = await pair.coordinator.until(() => pair.coordinator.of("epochSeen")[1]);
    expect(seen).toMatchObject({ accepted: false, refusal: { code: "fence.program-not-freed" } });
    pair.coordinator.send({ $case: "programFreed", value: { rollout: "r1", stage: "node-db1", epoch: 7 } });
    await offer(pair, other);
    await pair.coordinator.until(() => pair.coordinator.of("epochSeen")[2]?.accepted);
  });

  it("goes on in a second try under the same epoch where the first has failed", async () => {
    const pair = await makePair();
    const steps = (exit: string) => [toolStep("stop"), toolStep("upgrade", { exit }), toolStep("start")];
    await offer(pair, programOf(steps("3")));
    await endOf(pair);
    await offer(pair, programOf(steps("0"), { attempt: 2 }));
    expect((await endOf(pair, 2)).outcome).toBe(ProgramOutcome.DONE);
    expect(phasesOf(pair, "stop")).toEqual([STARTED, DONE, FOUND_DONE]);
    expect(await pair.agent.lines("starts")).toEqual(["stop", "upgrade", "upgrade", "start"]);
    expect(pair.coordinator.of("enterRequest").length).toBe(1);
  });

  it("stops as unknown where the probe cannot say, and starts nothing", async () => {
    const pair = await makePair();
    await pair.agent.write("upgrade", "half");
    await offer(pair, programOf([toolStep("stop"), toolStep("upgrade"), toolStep("start")]));
    expect(await endOf(pair)).toMatchObject({
      outcome: ProgramOutcome.UNKNOWN,
      step: "upgrade",
      failure: { code: "paper.half-done" },
    });
    expect(await pair.agent.lines("starts")).toEqual(["stop"]);
  });

  it("ends a tool and all its children at a deadline that ends", async () => {
    const pair = await makePair();
    await offer(pair, programOf([toolStep("slow", { forMs: "60000" }, { deadlineMs: 500 })]));
    const ended = await endOf(pair);
    expect(ended).toMatchObject({
      outcome: ProgramOutcome.FAILED,
      failure: { code: "step.deadline-passed" },
    });
    expect(await pair.agent.lines("slow")).toEqual([]);
    const event = pair.coordinator.of("stepEvent").at(-1);
    expect(event?.elapsedMs).toBeLessThan(3_000);
  });

  it("never ends a tool at a deadline that observes, and tells its end later, also after a restart", async () => {
    for (const restart of [false, true]) {
      const pair = await makePair();
      await offer(
        pair,
        programOf([toolStep("slow", { forMs: "2500" }, { deadlineMs: 300, onDeadline: OnDeadline.OBSERVE })]),
      );
      expect(await endOf(pair)).toMatchObject({
        outcome: ProgramOutcome.UNKNOWN,
        failure: { code: "step.still-running" },
      });
      expect(await pair.agent.lines("slow")).toEqual([]);
      if (restart) {
        await pair.agent.kill();
        pair.agent.start();
      } else {
        // A second try must not begin beside a tool that still runs.
        await offer(pair, programOf([toolStep("slow")], { attempt: 2 }));
        const refused = await pair.coordinator.until(() => pair.coordinator.of("programAccepted")[1]);
        expect(refused).toMatchObject({ accepted: false, refusal: { code: "agent.tool-still-running" } });
      }
      const later = await pair.coordinator.until(() =>
        pair.coordinator.of("stepEvent").find(({ outputs }) => outputs["endedLater"] !== undefined),
      );
      expect(later.phase).toBe(PROGRESS);
      expect(await pair.agent.lines("slow")).toEqual(["done"]);
      expect(await pair.agent.lines("starts")).toEqual(["slow"]);
    }
  });

  it("ends children that a tool has left behind", async () => {
    const pair = await makePair();
    await offer(pair, programOf([step("litter", "paper.litter", { name: "litter-done" })]));
    expect((await endOf(pair)).outcome).toBe(ProgramOutcome.DONE);
    const [pid] = await pair.agent.lines("litter");
    expect(await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "gone")).toMatch(/^gone$|\) Z /);
  });
});

describe("a program that is told to stop", () => {
  it("stops at the next safe boundary and undoes its own deeds, last first", async () => {
    const pair = await makePair();
    const undoable = (id: string, forMs: string) => toolStep(id, { forMs }, { undo: undoOf(id) });
    const safe = { ...undoable("upgrade", "400"), mayStopAfter: true };
    await pair.agent.write("before", "done");
    const program = programOf([
      undoable("before", "0"),
      undoable("stop", "400"),
      safe,
      undoable("start", "0"),
    ]);
    await offer(pair, program);
    await pair.coordinator.until(() =>
      pair.coordinator.of("stepEvent").some(({ step: id }) => id === "stop"),
    );
    pair.coordinator.send({
      $case: "stopProgram",
      value: { rollout: "r1", stage: "node-db1", epoch: 7, undo: true, ask: 0 },
    });
    expect((await endOf(pair)).outcome).toBe(ProgramOutcome.STOPPED);
    // What was found done before was not our deed; it stays.
    expect(await pair.agent.lines("starts")).toEqual(["stop", "upgrade", "undo-upgrade", "undo-stop"]);
    expect(await pair.agent.lines("before")).toEqual(["done"]);
    expect(phasesOf(pair, "stop")).toEqual([STARTED, DONE, UNDONE]);
  });

  it("undoes what a failed program has left, when asked afterwards", async () => {
    const pair = await makePair();
    await offer(
      pair,
      programOf([toolStep("stop", {}, { undo: undoOf("stop") }), toolStep("upgrade", { exit: "1" })]),
    );
    await endOf(pair);
    expect(phasesOf(pair, "upgrade")).toEqual([STARTED, FAILED]);
    pair.coordinator.send({
      $case: "stopProgram",
      value: { rollout: "r1", stage: "node-db1", epoch: 7, undo: true, ask: 0 },
    });
    expect((await endOf(pair, 2)).outcome).toBe(ProgramOutcome.STOPPED);
    expect(await pair.agent.lines("stop")).toEqual([]);
  });

  it("goes on undoing after the agent was killed in the middle of it", async () => {
    const pair = await makePair();
    const undoable = (id: string) => toolStep(id, { forMs: "200" }, { undo: undoOf(id), mayStopAfter: true });
    await offer(pair, programOf([undoable("one"), undoable("two"), undoable("three")]));
    await pair.coordinator.until(() => phasesOf(pair, "two").includes(STARTED));
    pair.coordinator.send({
      $case: "stopProgram",
      value: { rollout: "r1", stage: "node-db1", epoch: 7, undo: true, ask: 0 },
    });
    await pair.coordinator.until(() => phasesOf(pair, "two").includes(UNDONE));
    await pair.agent.kill();
    pair.agent.start();
    await endOf(pair);
    expect(await pair.agent.lines("one")).toEqual([]);
    const starts = await pair.agent.lines("starts");
    expect(starts.filter((line) => line.startsWith("undo"))).toEqual(["undo-two", "undo-one"]);
  });
});

describe("the fence on a real agent", () => {
  it("gives up an enter that nobody answers, says so, and does not listen to a late yes", async () => {
    const pair = await makePair();
    pair.coordinator.behaviour = { grants: false };
    await offer(pair, programOf([toolStep("stop")]));
    const ended = await endOf(pair);
    expect(ended).toMatchObject({
      outcome: ProgramOutcome.NEVER_BEGUN,
      failure: { code: "enter.unanswered" },
    });
    pair.coordinator.send({ $case: "enterGranted", value: { cluster: "c1", epoch: 7, nonce: "n7" } });
    await sleep(300);
    expect(await pair.agent.lines("starts")).toEqual([]);
    await pair.agent.kill();
    pair.agent.start();
    const hello = await pair.coordinator.until(() => pair.coordinator.hellos[1]);
    expect(hello.unfinished).toBeUndefined();
  });

  it("drops a program that waits to enter for a newer epoch, and runs that one's", async () => {
    const pair = await makePair();
    pair.coordinator.behaviour = { grants: false };
    await offer(pair, programOf([toolStep("old")]));
    await pair.coordinator.until(() => pair.coordinator.of("enterRequest")[0]);
    pair.coordinator.behaviour = {};
    await offer(pair, programOf([toolStep("new")], { rollout: "r2", epoch: 8, nonce: "n8" }));
    expect((await endOf(pair)).outcome).toBe(ProgramOutcome.NEVER_BEGUN);
    expect((await endOf(pair, 2)).outcome).toBe(ProgramOutcome.DONE);
    expect(await pair.agent.lines("starts")).toEqual(["new"]);
  });

  it("remembers the highest epoch over a restart, and refuses what is below it", async () => {
    const pair = await makePair();
    await offer(pair, programOf([toolStep("stop")]));
    await endOf(pair);
    pair.coordinator.send({ $case: "programFreed", value: { rollout: "r1", stage: "node-db1", epoch: 7 } });
    await sleep(200);
    await pair.agent.kill();
    pair.agent.start();
    const hello = await pair.coordinator.until(() => pair.coordinator.hellos[1]);
    expect(hello).toMatchObject({ highest: [{ cluster: "c1", epoch: 7, nonce: "n7" }] });
    expect(hello.stateId).toBe(pair.coordinator.hellos[0]?.stateId);
    pair.coordinator.send(noticeOf(programOf([], { epoch: 6, nonce: "n6" })));
    const seen = await pair.coordinator.until(() => pair.coordinator.of("epochSeen")[1]);
    expect(seen).toMatchObject({ accepted: false, refusal: { code: "fence.epoch-too-low" } });
  });

  it.each([
    ["a verb that it does not know", programOf([step("x", "paper.shell", { name: "x" })]), "verb.unknown"],
    [
      "arguments that the verb does not know",
      programOf([step("x", "paper.tool", { path: "/etc/passwd" })]),
      "verb.arguments",
    ],
    [
      "a change that calls itself an observation",
      programOf([toolStep("x", {}, { class: StepClass.OBSERVE })]),
      "program.class-too-low",
    ],
    ["a change without a lock", programOf([toolStep("x")], { epoch: 0, nonce: "" }), "program.needs-lock"],
    ["another node's program", programOf([toolStep("x")], { node: "db2" }), "program.other-node"],
    [
      "a step without a deadline",
      programOf([toolStep("x", {}, { deadlineMs: 0 })]),
      "program.without-deadline",
    ],
    ["an epoch that was never announced", programOf([toolStep("x")], { epoch: 99 }), "fence.not-announced"],
  ])("refuses %s", async (_, program, code) => {
    const pair = await makePair();
    pair.agent.start();
    await pair.coordinator.attach(1);
    if (program.epoch === 7) pair.coordinator.send(noticeOf(program));
    pair.coordinator.send({ $case: "runProgram", value: { program } });
    const answer = await pair.coordinator.until(() => pair.coordinator.of("programAccepted")[0]);
    expect(answer).toMatchObject({ accepted: false, refusal: { code } });
    expect(await pair.agent.lines("starts")).toEqual([]);
  });
});
