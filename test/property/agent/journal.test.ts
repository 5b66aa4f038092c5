import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Entry, Recorded } from "#agent/program/entry.ts";
import { Journal } from "#agent/program/journal.ts";
import { systemClock } from "#proto/common/clock.ts";
import { ForgetfulDisk } from "#test/doubles/disk/forgetful-disk.ts";

const path = "journal";

/** An entry that can be told from every other; its length varies, so that cuts fall everywhere. */
function entryOf(number: number, length: number): Entry {
  return { kind: "watch-disarmed", rollout: `r${number}`, id: "x".repeat(length) };
}

async function open(disk: ForgetfulDisk) {
  const records: Recorded[] = [];
  let made = 0;
  const opened = await Journal.open({
    disk,
    path,
    clock: systemClock,
    makeStateId: () => `state-${++made}`,
    take: (record) => records.push(record),
  });
  if (!opened.ok) throw new Error(opened.failure.code);
  return { ...opened.value, records };
}

const nameOf = (record: Recorded) => (record.kind === "watch-disarmed" ? record.rollout : record.kind);
const turns = async () => {
  for (let i = 0; i < 30; i++) await Promise.resolve();
};

type Deed =
  | { readonly do: "append"; readonly lengths: readonly number[] }
  | { readonly do: "compact"; readonly drop: number };

const deeds: fc.Arbitrary<readonly Deed[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc
        .array(fc.nat(90), { minLength: 1, maxLength: 4 })
        .map((lengths): Deed => ({ do: "append", lengths })),
    },
    { weight: 1, arbitrary: fc.nat(5).map((drop): Deed => ({ do: "compact", drop })) },
  ),
  { minLength: 1, maxLength: 14 },
);

/** Every part of [0, 1) as often: fast-check's own doubles are nearly all tiny. */
const evenly = fc.integer({ min: 0, max: 9_999 }).map((number) => number / 10_000);

describe("the journal on a disk that forgets what was not synced", () => {
  it("keeps what it has confirmed, in order, and invents nothing", async () => {
    const history = fc.record({
      deeds,
      waits: fc.array(fc.boolean(), { minLength: 14, maxLength: 14 }),
      fuse: fc.integer({ min: 1, max: 40 }),
      seed: fc.infiniteStream(evenly),
    });
    await fc.assert(
      fc.asyncProperty(history, async ({ deeds: plan, waits, fuse, seed }) => {
        const disk = new ForgetfulDisk();
        const before = await open(disk);
        const [born] = before.records;
        const written: string[] = [];
        const confirmed: string[] = [];
        const dropped = new Set<string>();
        let number = 0;
        disk.blowAfter(fuse);
        for (const [i, deed] of plan.entries()) {
          if (deed.do === "append") {
            const entries = deed.lengths.map((length) => entryOf(++number, length));
            written.push(...entries.map((_, k) => `r${number - entries.length + 1 + k}`));
            const done = before.journal
              .append(...entries)
              .then((records) => void confirmed.push(...records.map(nameOf)));
            if (waits[i] === true) await Promise.race([done, turns()]);
          } else {
            const wanted = before.records
              .filter(({ kind }) => kind !== "born")
              .slice(0, deed.drop)
              .map(nameOf);
            for (const name of wanted) dropped.add(name);
            const done = before.journal.compact("state-1", () =>
              before.records.filter((record) => !wanted.includes(nameOf(record))),
            );
            await Promise.race([done, turns()]);
          }
        }
        await turns();
        disk.crash(() => seed.next().value as number);
        const after = await open(disk);
        const names = after.records.filter(({ kind }) => kind !== "born").map(nameOf);
        // What was confirmed is there, unless it was compacted away on purpose.
        expect(names.filter((name) => confirmed.includes(name) && !dropped.has(name))).toEqual(
          confirmed.filter((name) => !dropped.has(name)),
        );
        // All that is there was written, in that order, each once.
        expect(names).toEqual(written.filter((name) => names.includes(name)));
        expect(after.records[0]?.kind === "born" && after.records[0].stateId).toBe(
          born?.kind === "born" && born.stateId,
        );
        // Sequences of new records follow all that was ever confirmed.
        const [next] = await after.journal.append(entryOf(0, 1));
        const highest = Math.max(
          0,
          ...before.records.filter((record) => confirmed.includes(nameOf(record))).map(({ n }) => n),
        );
        expect(next?.n).toBeGreaterThan(highest);
        // The torn end of the first life does not spoil what the second has written.
        const third = await open(disk);
        expect(third.records.filter(({ kind }) => kind !== "born").map(nameOf)).toEqual([...names, "r0"]);
      }),
      { numRuns: 3_000 },
    );
  });

  it("refuses a file that is damaged anywhere but in its last line, and says where", async () => {
    const disk = new ForgetfulDisk();
    const { journal } = await open(disk);
    for (let i = 1; i <= 6; i++) await journal.append(entryOf(i, 20));
    const whole = Buffer.from(disk.content(path));
    const lastLine = whole.subarray(0, -1).lastIndexOf("\n") + 1;
    await fc.assert(
      fc.asyncProperty(fc.nat(lastLine - 2), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const damaged = Buffer.from(whole);
        damaged[at] = (damaged[at] ?? 0) ^ flip;
        disk.overwrite(path, damaged);
        const opened = await Journal.open({
          disk,
          path,
          clock: systemClock,
          makeStateId: () => "other",
          take: () => undefined,
        });
        expect(opened.ok).toBe(false);
        if (!opened.ok) expect(opened.failure).toMatchObject({ code: "journal.damaged", facts: { path } });
        expect(disk.content(path)).toEqual(damaged);
      }),
      { numRuns: 500 },
    );
  });

  it("finds a line that was lost or exchanged in the middle", async () => {
    const disk = new ForgetfulDisk();
    const { journal } = await open(disk);
    for (let i = 1; i <= 4; i++) await journal.append(entryOf(i, 20));
    const lines = disk.content(path).toString().split("\n");
    for (const changed of [lines.toSpliced(2, 1), lines.with(2, lines[3] ?? "").with(3, lines[2] ?? "")]) {
      disk.overwrite(path, Buffer.from(changed.join("\n")));
      const opened = await Journal.open({
        disk,
        path,
        clock: systemClock,
        makeStateId: () => "other",
        take: () => undefined,
      });
      expect(opened.ok).toBe(false);
    }
  });
});
