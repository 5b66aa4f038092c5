/** I3: a step that changes things starts at most once per attempt, whatever dies and whatever the disk forgets. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { OnDeadline, type Program, ProgramOutcome, StepClass } from "#proto/gen/lockkeeper/v1/program_pb.ts";
import { AgentWorld, Life } from "#test/doubles/agent-world.ts";

const steps = ["stop", "upgrade", "start", "ready"];
const epoch = { cluster: "c", epoch: 3, nonce: "n3", rollout: "r" };
const program: Program = {
  ...epoch,
  stage: "node",
  node: "db1",
  attempt: 1,
  steps: steps.map((id) => ({
    id,
    call: { verb: "paper.tool", args: { name: id, forMs: "400" } },
    class: StepClass.REVERSIBLE,
    deadlineMs: 60_000,
    onDeadline: OnDeadline.END,
    mayStopAfter: false,
    holdLimitMs: 0,
  })),
};

/** Every part of [0, 1) as often: fast-check's own doubles are nearly all tiny. */
const evenly = fc.integer({ min: 0, max: 9_999 }).map((number) => number / 10_000);

const history = fc.record({
  /** Until each life dies: disk operations, or time, which falls into the running of a tool; the last life lives. */
  fuses: fc.array(
    fc.oneof(
      {
        weight: 1,
        arbitrary: fc.record({ operations: fc.integer({ min: 1, max: 60 }), ms: fc.constant(600_000) }),
      },
      {
        weight: 2,
        arbitrary: fc.record({ operations: fc.constant(10_000), ms: fc.integer({ min: 30, max: 1_700 }) }),
      },
    ),
    { minLength: 1, maxLength: 5 },
  ),
  powerLoss: fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
  awayMs: fc.array(fc.integer({ min: 0, max: 1_500 }), { minLength: 5, maxLength: 5 }),
  grants: fc.oneof(
    { weight: 18, arbitrary: fc.constant("yes" as const) },
    { weight: 1, arbitrary: fc.constantFrom("no" as const, "silence" as const) },
  ),
  luck: fc.infiniteStream(evenly),
});

type History = typeof history extends fc.Arbitrary<infer H> ? H : never;

async function play({ fuses, powerLoss, awayMs, grants, luck }: History) {
  const world = new AgentWorld(() => luck.next().value as number);
  for (let i = 0; ; i++) {
    const fuse = fuses[i];
    world.disk.blowAfter(fuse?.operations ?? Number.POSITIVE_INFINITY);
    const life = await Life.start(world, () => grants);
    if (life !== undefined) {
      life.agent.wake().catch(() => undefined);
      life.agent.receive({
        $case: "epochNotice",
        value: { ...epoch, nodes: ["db1"], clusterScope: false, auditHead: "" },
      });
      life.agent.receive({ $case: "runProgram", value: { program } });
      const ended = () => [...life.ledger.memory.programs.values()][0]?.ended;
      const diesAtMs = world.clock.monotonicMs() + (fuse?.ms ?? 600_000);
      world.clock.after(fuse?.ms ?? 600_000, () => undefined);
      const dies = () => world.disk.blown || world.clock.monotonicMs() >= diesAtMs;
      await world.clock.until(() => dies() || ended() !== undefined, 700_000);
      if (fuse === undefined) return { world, ended: ended() };
      world.disk.blowAfter(0);
      life.die();
    }
    world.disk.crash(world.random);
    if (powerLoss[i] === true) world.powerLoss();
    const until = world.clock.monotonicMs() + (awayMs[i] ?? 0);
    world.clock.after(awayMs[i] ?? 0, () => undefined);
    await world.clock.until(() => world.clock.monotonicMs() >= until);
  }
}

it("no tool is started twice, none before it may, and the end is never a silent success", async () => {
  const seen = new Map<number, number>();
  await fc.assert(
    fc.asyncProperty(history, async (given) => {
      const { world, ended } = await play(given);
      for (const [name, tool] of world.tools) expect([name, tool.starts]).toEqual([name, 1]);
      expect(world.starts.every(({ mayRun }) => mayRun)).toBe(true);
      const outcome = ended?.outcome ?? ProgramOutcome.UNSPECIFIED;
      seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
      if (outcome === ProgramOutcome.DONE)
        expect([...world.effects]).toEqual(steps.map((id) => [id, "done"]));
      else if (outcome === ProgramOutcome.NEVER_BEGUN) expect(world.starts).toEqual([]);
      else expect(ended?.failure).toBeDefined();
      // Only the loss of power can leave a tool behind of which nobody knows.
      if (!given.powerLoss.includes(true))
        expect([ProgramOutcome.DONE, ProgramOutcome.NEVER_BEGUN]).toContain(outcome);
    }),
    { numRuns: 1_000 },
  );
  // The histories reach every end that there is, so none of the above held for want of a case.
  for (const outcome of [
    ProgramOutcome.DONE,
    ProgramOutcome.FAILED,
    ProgramOutcome.UNKNOWN,
    ProgramOutcome.NEVER_BEGUN,
  ]) {
    expect(seen.get(outcome) ?? 0).toBeGreaterThan(0);
  }
});
