import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { ProgramOutcome, StepPhase } from "#proto/gen/lockkeeper/v1/program_pb.ts";
import { endOf, makePair, offer, type Pair, phasesOf } from "./harness/pair.ts";
import { programOf, toolStep, undoOf } from "./harness/program.ts";

const fence = (holdLimitMs: number) =>
  toolStep("fence", {}, { undo: undoOf("fence"), holdLimitMs, deadlineMs: 900 });
const permanent = {
  $case: "makeHoldPermanent",
  value: { rollout: "r1", stage: "node-db1", step: "fence" },
} as const;

/** Waits for a file of the host to be there, or gone, without any coordinator. */
async function fileIs(pair: Pair, name: string, there: boolean): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if ((await pair.agent.lines(name)).length > 0 === there) return;
    await sleep(50);
  }
  throw new Error(`${name} is ${there ? "not there" : "still there"}`);
}

describe("a hold", () => {
  it("is undone by its agent when the limit passes, with nobody there to ask", async () => {
    const pair = await makePair();
    await offer(pair, programOf([fence(1_500), toolStep("next")]));
    expect((await endOf(pair)).outcome).toBe(ProgramOutcome.DONE);
    pair.coordinator.close();
    await fileIs(pair, "fence", true);
    await fileIs(pair, "fence", false);
    expect(await pair.agent.lines("starts")).toEqual(["fence", "next", "undo-fence"]);
  });

  it("is undone after the agent's own death too, in time when it comes back in time and at once when late", async () => {
    for (const awayMs of [0, 2_500]) {
      const pair = await makePair();
      await offer(pair, programOf([fence(2_000)]));
      await endOf(pair);
      await pair.agent.kill();
      await sleep(awayMs);
      expect(await pair.agent.lines("fence")).toEqual(["done"]);
      pair.agent.start();
      await fileIs(pair, "fence", false);
      const undone = await pair.coordinator.until(() =>
        pair.coordinator.of("stepEvent").find(({ phase }) => phase === StepPhase.UNDONE),
      );
      expect(undone.failure?.code).toBe("hold.limit-passed");
    }
  });

  it("stays when it was made permanent in time, also over a restart", async () => {
    const pair = await makePair();
    await offer(pair, programOf([fence(2_000)]));
    await endOf(pair);
    pair.coordinator.send(permanent);
    const answer = await pair.coordinator.until(() => pair.coordinator.of("holdMadePermanent")[0]);
    expect(answer).toMatchObject({ step: "fence", madePermanent: true });
    await pair.agent.kill();
    pair.agent.start();
    await sleep(2_500);
    expect(await pair.agent.lines("fence")).toEqual(["done"]);
  });

  it("cannot be made permanent once its limit has passed", async () => {
    const pair = await makePair();
    await offer(pair, programOf([fence(1_000)]));
    await endOf(pair);
    await fileIs(pair, "fence", false);
    await pair.coordinator.until(() => phasesOf(pair, "fence").includes(StepPhase.UNDONE));
    pair.coordinator.send(permanent);
    const answer = await pair.coordinator.until(() => pair.coordinator.of("holdMadePermanent")[0]);
    expect(answer).toMatchObject({ madePermanent: false, refusal: { code: "hold.undone" } });
  });

  it("that passes in mid program stops it: nothing is built on a fence that is down", async () => {
    const pair = await makePair();
    await offer(
      pair,
      programOf([fence(1_000), toolStep("long", { forMs: "2000" }), toolStep("built-on-it")]),
    );
    expect(await endOf(pair)).toMatchObject({
      outcome: ProgramOutcome.FAILED,
      failure: { code: "hold.limit-passed" },
    });
    expect(await pair.agent.lines("starts")).not.toContain("built-on-it");
  });

  it("is ended before a closed rollout is forgotten", async () => {
    const pair = await makePair();
    await offer(pair, programOf([fence(60_000)]));
    await endOf(pair);
    pair.coordinator.send({ $case: "programFreed", value: { rollout: "r1", stage: "node-db1", epoch: 7 } });
    pair.coordinator.send({ $case: "rolloutClosed", value: { rollout: "r1" } });
    await fileIs(pair, "fence", false);
  });
});

describe("a watch", () => {
  const watch = {
    id: "lag",
    rollout: "r1",
    stage: "wait",
    everyMs: 150,
    warnAt: 5,
    reactAt: 9,
    probe: { verb: "paper.look", args: { name: "lag" } },
    reaction: { verb: "paper.remove", args: { name: "slot" } },
  };

  async function armed(): Promise<Pair> {
    const pair = await makePair();
    await pair.agent.write("lag", "1");
    await pair.agent.write("slot", "in use");
    pair.agent.start();
    await pair.coordinator.attach(1);
    pair.coordinator.send({ $case: "armWatch", value: { watch } });
    await sleep(400);
    return pair;
  }
  const fired = ({ coordinator }: Pair) =>
    coordinator.of("watchFired").map(({ measured, reacted }) => [measured, reacted]);

  it("warns once, and reacts once, at its limits", async () => {
    const pair = await armed();
    expect(fired(pair)).toEqual([]);
    await pair.agent.write("lag", "6");
    await pair.coordinator.until(() => fired(pair).length === 1);
    await sleep(400);
    expect(fired(pair)).toEqual([[6, false]]);
    expect(await pair.agent.lines("slot")).toEqual(["in use"]);
    await pair.agent.write("lag", "9");
    await pair.coordinator.until(() => fired(pair).length === 2);
    await sleep(400);
    expect(fired(pair)).toEqual([
      [6, false],
      [9, true],
    ]);
    expect(await pair.agent.lines("starts")).toEqual(["undo-slot"]);
  });

  it("works without a coordinator, and after the agent was killed", async () => {
    const pair = await armed();
    pair.coordinator.close();
    await pair.agent.kill();
    pair.agent.start();
    await pair.agent.write("lag", "12");
    await fileIs(pair, "slot", false);
  });

  it("that goes on reacts again and again, also after its agent was killed", async () => {
    const pair = await makePair();
    await pair.agent.write("lag", "1");
    await pair.agent.write("slot", "in use");
    pair.agent.start();
    await pair.coordinator.attach(1);
    pair.coordinator.send({ $case: "armWatch", value: { watch: { ...watch, goesOn: true } } });
    for (const restarts of [false, true]) {
      if (restarts) {
        await pair.agent.kill();
        pair.agent.start();
      }
      await pair.agent.write("lag", "9");
      await fileIs(pair, "slot", false);
      await pair.agent.write("lag", "1");
      await sleep(400);
      await pair.agent.write("slot", "in use");
    }
    // a coordinator that acknowledges nothing is told again after the restart
    const sequences = () => new Set(pair.coordinator.of("watchFired").map(({ sequence }) => sequence));
    await pair.coordinator.until(() => sequences().size === 2);
    expect(pair.coordinator.of("watchFired").every(({ goesOn, reacted }) => goesOn && reacted)).toBe(true);
  });

  it("does nothing any more once it was disarmed", async () => {
    const pair = await armed();
    pair.coordinator.send({ $case: "disarmWatch", value: { rollout: "r1", id: "lag" } });
    await sleep(300);
    await pair.agent.write("lag", "12");
    await sleep(600);
    expect(await pair.agent.lines("slot")).toEqual(["in use"]);
  });

  it("says that it is blind when what it measures is no number", async () => {
    const pair = await armed();
    await pair.agent.write("lag", "who knows");
    const said = await pair.coordinator.until(() => pair.coordinator.of("watchFired")[0]);
    expect(said).toMatchObject({ reacted: false, failure: { code: "watch.no-number" } });
  });

  it("is refused with a probe that changes things", async () => {
    const pair = await makePair();
    pair.agent.start();
    await pair.coordinator.attach(1);
    pair.coordinator.send({ $case: "armWatch", value: { watch: { ...watch, probe: watch.reaction } } });
    const said = await pair.coordinator.until(() => pair.coordinator.of("watchFired")[0]);
    expect(said.failure?.code).toBe("watch.probe-changes");
  });
});
