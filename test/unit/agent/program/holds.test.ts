/** A hold's limit over the agent's death, the host's and the clock's: when in doubt it is undone. */
import { describe, expect, it } from "vitest";
import { OnDeadline, type Program, StepClass } from "#proto/gen/lockkeeper/v1/program_pb.ts";
import { AgentWorld, Life } from "#test/doubles/agent-world.ts";

const limitMs = 60_000;
const epoch = { cluster: "c", epoch: 3, nonce: "n3", rollout: "r" };
const program: Program = {
  ...epoch,
  stage: "cut-over",
  node: "db1",
  attempt: 1,
  steps: [
    {
      id: "fence",
      call: { verb: "paper.tool", args: { name: "fence", forMs: "100" } },
      undo: { verb: "paper.remove", args: { name: "fence" } },
      class: StepClass.REVERSIBLE,
      deadlineMs: 5_000,
      onDeadline: OnDeadline.END,
      mayStopAfter: true,
      holdLimitMs: limitMs,
    },
  ],
};

async function alive(world: AgentWorld): Promise<Life> {
  const life = await Life.start(world, () => "yes");
  if (life === undefined) throw new Error("no life");
  await life.agent.wake();
  return life;
}

/** A world in which the hold stands since `atMs`. */
async function held() {
  const world = new AgentWorld(() => 0);
  const life = await alive(world);
  life.agent.receive({
    $case: "epochNotice",
    value: { ...epoch, nodes: ["db1"], clusterScope: false, auditHead: "" },
  });
  const atMs = world.clock.monotonicMs();
  life.agent.receive({ $case: "runProgram", value: { program } });
  await world.clock.until(() => [...life.ledger.memory.programs.values()][0]?.ended !== undefined);
  return { world, life, atMs };
}

async function pass(world: AgentWorld, ms: number): Promise<void> {
  const until = world.clock.monotonicMs() + ms;
  world.clock.after(ms, () => undefined);
  await world.clock.until(() => world.clock.monotonicMs() >= until);
}

async function dies(world: AgentWorld, life: Life): Promise<void> {
  life.die();
  world.disk.crash(() => 0);
}

const undoneAfter = (world: AgentWorld, atMs: number) =>
  (world.undone[0]?.atMs ?? Number.POSITIVE_INFINITY) - atMs;

describe("a hold", () => {
  it("is undone at its limit", async () => {
    const { world, atMs } = await held();
    await pass(world, 2 * limitMs);
    expect(world.undone.length).toBe(1);
    expect(undoneAfter(world, atMs)).toBeGreaterThanOrEqual(limitMs);
    expect(undoneAfter(world, atMs)).toBeLessThan(limitMs + 500);
  });

  it("counts the time in which its agent was dead", async () => {
    const { world, life, atMs } = await held();
    await pass(world, 20_000);
    await dies(world, life);
    await pass(world, 10_000);
    await alive(world);
    await pass(world, limitMs);
    expect(undoneAfter(world, atMs)).toBeLessThan(limitMs + 500);
  });

  it.each([
    ["the host has booted again", { bootId: "boot-2" }],
    ["the wall clock was set back", { wallShiftMs: -3_600_000 }],
    ["the wall clock was set forward past the limit", { wallShiftMs: 3_600_000 }],
  ])("is undone at once by an agent that wakes up in doubt: %s", async (_, change) => {
    const { world, life } = await held();
    await dies(world, life);
    Object.assign(world, change);
    const wokeAtMs = world.clock.monotonicMs();
    await alive(world);
    await pass(world, 1_000);
    expect(undoneAfter(world, wokeAtMs)).toBeLessThan(500);
  });

  it("is not undone while the wall clock is moved under a living agent: that one counts monotonically", async () => {
    const { world, atMs } = await held();
    world.wallShiftMs = 3_600_000;
    await pass(world, limitMs - 5_000);
    expect(world.undone).toEqual([]);
    await pass(world, 10_000);
    expect(undoneAfter(world, atMs)).toBeLessThan(limitMs + 500);
  });

  it("stays for ever once it was made permanent", async () => {
    const { world, life } = await held();
    life.agent.receive({
      $case: "makeHoldPermanent",
      value: { rollout: "r", stage: "cut-over", step: "fence" },
    });
    await pass(world, 1_000);
    await dies(world, life);
    world.bootId = "boot-2";
    await alive(world);
    await pass(world, 2 * limitMs);
    expect(world.undone).toEqual([]);
  });

  it("is not made permanent once it is about to be undone, though nothing of that is journalled yet", async () => {
    const { world, life } = await held();
    await pass(world, 1_000);
    await dies(world, life);
    world.bootId = "boot-2";
    const next = await alive(world);
    next.agent.receive({
      $case: "makeHoldPermanent",
      value: { rollout: "r", stage: "cut-over", step: "fence" },
    });
    await pass(world, 2 * limitMs);
    expect(world.undone.length).toBe(1);
    const memory = [...next.ledger.memory.programs.values()][0]?.steps.get("fence");
    expect(memory?.permanent).not.toBe(true);
  });
});
