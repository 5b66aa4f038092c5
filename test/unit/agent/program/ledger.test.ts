import { describe, expect, it } from "vitest";
import type { Entry } from "#agent/program/entry.ts";
import { Ledger } from "#agent/program/ledger.ts";
import { systemClock } from "#proto/common/clock.ts";
import { ProgramOutcome, StepPhase } from "#proto/gen/lockkeeper/v1/program_pb.ts";
import { ForgetfulDisk } from "#test/doubles/disk/forgetful-disk.ts";

async function open(disk: ForgetfulDisk): Promise<Ledger> {
  const opened = await Ledger.open({
    disk,
    path: "journal",
    clock: systemClock,
    makeStateId: () => "state-1",
  });
  if (!opened.ok) throw new Error(opened.failure.code);
  return opened.value.ledger;
}

function programOf(rollout: string, tailBytes: number): readonly Entry[] {
  const key = { rollout, stage: "node", attempt: 1 };
  const moment = { wallMs: 0, bootId: "b", uptimeMs: 0 };
  const name = `lockkeeper-${rollout}`;
  return [
    {
      kind: "epoch-seen",
      cluster: "c",
      epoch: rollout === "r1" ? 1 : 2,
      nonce: rollout,
      rollout,
      auditHead: "",
    },
    { kind: "accepted", program: { ...key, cluster: "c", node: "db1", epoch: 1, nonce: rollout, steps: [] } },
    { kind: "entered", ...key },
    {
      kind: "tool-intended",
      ref: { ...key, step: "x", part: "run", again: 0, index: 0 },
      name,
      runner: "group",
      argvDigest: "",
      bootId: "b",
    },
    { kind: "tool-ended", name, exitCode: 0, result: "exited" },
    {
      kind: "step",
      ...key,
      step: "x",
      phase: StepPhase.DONE,
      moment,
      elapsedMs: 1,
      outputs: {},
      tail: "y".repeat(tailBytes),
      runner: "",
    },
    { kind: "ended", ...key, epoch: 1, outcome: ProgramOutcome.DONE, step: "" },
    { kind: "freed", ...key },
  ];
}

describe("a rollout that is closed", () => {
  it("is forgotten and its room given back, and all else is kept over a restart", async () => {
    const disk = new ForgetfulDisk();
    const ledger = await open(disk);
    await ledger.append(...programOf("r1", 400_000), ...programOf("r2", 100));
    const last = ledger.memory.events.at(-1)?.n ?? 0;
    await ledger.closeRollout("r1");
    expect(disk.content("journal").length).toBeLessThan(10_000);
    const again = await open(disk);
    expect(again.memory).toEqual(ledger.memory);
    expect([...again.memory.programs.keys()]).toEqual(["r2/node/1"]);
    expect([...again.memory.tools.keys()]).toEqual(["lockkeeper-r2"]);
    expect(again.memory.highest.get("c")).toMatchObject({ epoch: 2 });
    await again.append(...programOf("r3", 1));
    expect(again.memory.events.find(({ rollout }) => rollout === "r3")?.n).toBeGreaterThan(last);
  });

  it("leaves the highest epoch behind, so that nothing below it is ever taken", async () => {
    const disk = new ForgetfulDisk();
    const ledger = await open(disk);
    await ledger.append(...programOf("r1", 400_000));
    await ledger.closeRollout("r1");
    const again = await open(disk);
    expect(again.memory.highest.get("c")).toMatchObject({ epoch: 1, nonce: "r1" });
    expect(again.memory.programs.size).toBe(0);
    expect(again.memory.stateId).toBe("state-1");
  });
});

it("walks through its events from any sequence, over all open rollouts", async () => {
  const ledger = await open(new ForgetfulDisk());
  await ledger.append(...programOf("r1", 1), ...programOf("r2", 1));
  const walked: number[] = [];
  for (let event = ledger.nextEvent(0); event !== undefined; event = ledger.nextEvent(event.n))
    walked.push(event.n);
  expect(walked).toEqual(ledger.memory.events.map(({ n }) => n));
  expect(walked.length).toBe(4);
});
