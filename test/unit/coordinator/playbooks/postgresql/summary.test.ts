import { expect, it } from "vitest";
import { summarise } from "#coordinator/playbooks/postgresql/summary.ts";
import { inputOf, is, slot } from "./pair.ts";

const gibibyte = 1024 ** 3;

/** What is noted of the disk of a server that keeps WAL for a move. */
function room(retainedBytes: number, bytesPerS: number) {
  const input = inputOf({
    source: {
      facts: {
        slots: is([slot("lockkeeper_r_shop", { retainedBytes })]),
        walRoom: is({ usedPercent: 40, freeBytes: 60 * gibibyte, bytesPerS }),
      },
    },
  });
  const [report] = Object.values(input.reports);
  if (report === undefined) throw new Error("no report");
  return summarise(report).notes?.at(-1);
}

const perDay = Math.ceil((60 * gibibyte) / 86_400);

it.each([
  ["a healthy move, which keeps next to nothing", 14_336, 2 * perDay, "postgresql.wal-room"],
  ["a disk that would be full in two days", 2 * gibibyte, perDay / 2, "postgresql.wal-room"],
  ["WAL that has begun to grow", 2 * gibibyte, 2 * perDay, "postgresql.wal-full-in"],
  ["a pace that fills it within the hour", 14_336, 25 * perDay, "postgresql.wal-full-in"],
])("of %s, people are told what the disk needs, and scripts of the time", (_, kept, bytesPerS, code) => {
  expect(room(kept, bytesPerS)).toMatchObject({ code, facts: { used: "40", pace: String(bytesPerS) } });
  expect(room(kept, bytesPerS)?.facts["fullIn"]).toBeDefined();
});

it("one that writes nothing has no such time", () => {
  expect(room(14_336, 0)).toEqual({
    code: "postgresql.wal-room",
    facts: { used: "40", free: String(60 * gibibyte) },
  });
});
