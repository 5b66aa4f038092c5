/** An agent is replaced while its node is half-way: the next one must know all that this one knew. */
import { describe, expect, it } from "vitest";
import { journalFormat } from "#agent/program/entry.ts";
import { encodeLine, readLines } from "#agent/program/journal-line.ts";
import { Ledger } from "#agent/program/ledger.ts";
import { type Memory, unfinishedProgram } from "#agent/program/memory.ts";
import { ProgramOutcome, StepPhase } from "#proto/gen/lockkeeper/v1/program_pb.ts";
import { ForgetfulDisk } from "#test/doubles/disk/forgetful-disk.ts";
import { VirtualClock } from "#test/flow/engine/virtual-clock.ts";
import { goldenText } from "#test/golden.ts";
import { everyEntry } from "./every-entry.ts";

const golden = (format: number) => goldenText(`agent/program/journal-format-${format}.jsonl`);

function open(disk: ForgetfulDisk) {
  const makeStateId = () => "state-1";
  return Ledger.open({ disk, path: "journal", clock: new VirtualClock(), makeStateId });
}

async function remembered(journal: string): Promise<Memory> {
  const disk = new ForgetfulDisk();
  disk.overwrite("journal", Buffer.from(journal));
  const opened = await open(disk);
  if (!opened.ok) throw new Error(opened.failure.code);
  expect(opened.value.cutBytes).toBe(0);
  return opened.value.ledger.memory;
}

async function written(): Promise<string> {
  const disk = new ForgetfulDisk();
  const opened = await open(disk);
  if (!opened.ok) throw new Error(opened.failure.code);
  for (const entry of everyEntry) await opened.value.ledger.append(entry);
  return disk.content("journal").toString("utf8");
}

/** The same records in lines that are whole, the first one changed. */
function withFirst(change: object): string {
  const reading = readLines(Buffer.from(golden(journalFormat)));
  if (!reading.ok) throw new Error(reading.failure.code);
  const [born, ...rest] = reading.value.records;
  let seed = 0;
  const lines = [{ ...born, ...change }, ...rest].map((record) => {
    const line = encodeLine([record as (typeof rest)[number]], seed);
    seed = line.seed;
    return line.bytes.toString("utf8");
  });
  return lines.join("");
}

describe("the format of the journal", () => {
  it.each(Array.from({ length: journalFormat }, (_, index) => index + 1))(
    "is read where its number is %i",
    async (number) => {
      const memory = await remembered(golden(number));
      expect(memory.stateId).toBe("state-1");
      expect(unfinishedProgram(memory)?.program.epoch).toBe(7);
    },
  );

  it("is written byte for byte as under the same number before", async () => {
    expect(await written()).toBe(golden(journalFormat));
  });

  it.each([{ format: journalFormat + 1 }, { format: undefined }])(
    "is refused by name with $format",
    async (change) => {
      const disk = new ForgetfulDisk();
      const journal = withFirst(change);
      disk.overwrite("journal", Buffer.from(journal));
      const facts = {
        path: "journal",
        format: String(change.format ?? "none"),
        known: String(journalFormat),
      };
      expect(await open(disk)).toEqual({ ok: false, failure: { code: "journal.format-unknown", facts } });
      expect(disk.content("journal").toString("utf8")).toBe(journal);
    },
  );

  it("is refused by its number, not as damage, where only its first line is written as today", () => {
    const first = withFirst({ format: journalFormat + 1 }).split("\n")[0];
    const reading = readLines(Buffer.from(`${first}\n(lines of\nanother kind)\n`));
    expect(reading).toMatchObject({ failure: { code: "journal.format-unknown" } });
  });
});

it("the golden journal brings back fences, program, steps, tools, holds and watches", async () => {
  const memory = await remembered(golden(1));
  expect(Object.fromEntries(memory.highest)).toMatchObject({
    账单: { epoch: 7, nonce: "n7" },
    stock: { epoch: 3, nonce: "n3" },
  });
  expect(memory.auditHead).toBe("head-2");
  const program = unfinishedProgram(memory);
  expect(program).toMatchObject({
    entered: true,
    undoing: true,
    stopAsked: { undo: true, ask: 41 },
    ended: { outcome: ProgramOutcome.UNKNOWN, step: "stop", failure: { code: "step.interrupted" } },
  });
  expect(program?.program.steps.map(({ id }) => id)).toEqual(["look", "fence", "stop", "upgrade"]);
  expect(Object.fromEntries(program?.steps ?? [])).toMatchObject({
    look: { ended: StepPhase.DONE, outputs: { found: "3.0.0" } },
    fence: { ended: StepPhase.DONE, undo: "started", permanent: true, startedAt: { uptimeMs: 4_711 } },
    stop: { ended: StepPhase.UNKNOWN },
  });
  const [tool] = memory.tools.values();
  expect(tool).toMatchObject({
    runner: "group",
    mark: { pid: 4_711, startTicks: 99 },
    ended: { exitCode: 0 },
  });
  expect([...memory.watches.values()]).toMatchObject([
    { watch: { id: "lag", reactAt: 60 }, reacting: 61, reacted: true },
  ]);
});
