/** What transactions did to rows, from the messages that real servers gave of it, and from any that could be. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { changesBeside, type Deed, readPgoutput } from "#agent/engines/postgresql/pgoutput.ts";

const file = new URL("../../../../fixtures/agent/engines/postgresql/pgoutput.json", import.meta.url);
/** By major: an insert, update and delete, two tables in one transaction, a TRUNCATE (from 11 on), one from an origin, one after it. */
const recorded: Readonly<Record<string, readonly string[]>> = JSON.parse(readFileSync(file, "utf8"));
const mixed = 'public."Mixed ""é"';

function counted(messages: readonly Buffer[], expected: readonly string[] = []) {
  const changes = changesBeside(new Set(expected));
  return { isRead: messages.every((each) => changes.take(each)), ...changes.found() };
}

const bytesOf = (major: string) => (recorded[major] ?? []).map((hex) => Buffer.from(hex, "hex"));
const trimmed = (bytes: Buffer) =>
  "IUD".includes(bytes.toString("latin1", 0, 1)) ? bytes.subarray(0, 5) : bytes;

describe.each(["10", "15", "18"])("as PostgreSQL %s gives them", (major) => {
  const truncated = major === "10" ? {} : { truncated: 1 };
  const ofMixed = { inserted: 2, ...truncated };

  it("the rows of each table are counted, those of an expected origin not", () => {
    for (const messages of [bytesOf(major), bytesOf(major).map(trimmed)]) {
      const own = { inserted: 3, updated: 1, deleted: 1, ...truncated };
      expect(counted(messages, ["theirs"])).toMatchObject({
        isRead: true,
        tables: { "public.kept": own, [mixed]: ofMixed },
      });
      expect(counted(messages, ["pg_1"]).tables["public.kept"]).toEqual({ ...own, inserted: 4 });
    }
  });

  it("the first of them is told with its time", () => {
    const { firstAtMs = 0 } = counted(bytesOf(major));
    const [begun] = bytesOf(major).map(readPgoutput);
    // of the empty one before it, which 15 and newer leave out
    const emptyAtMs = begun?.kind === "begin" ? begun.atMs : Number.NaN;
    expect(firstAtMs).toBeGreaterThanOrEqual(emptyAtMs);
    expect(new Date(firstAtMs).toISOString()).toMatch(/^2026-11-22T12:/);
  });
});

function text(value: string): Buffer {
  return Buffer.from(`${value}\0`);
}
function numbers(letter: string, ...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(1 + 4 * values.length);
  bytes.write(letter, "latin1");
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, 1 + 4 * index);
  return bytes;
}
const begin = Buffer.concat([Buffer.from("B"), Buffer.alloc(20)]);
const origin = (name: string) => Buffer.concat([Buffer.from("O"), Buffer.alloc(8), text(name)]);
const relation = (id: number) =>
  Buffer.concat([numbers("R", id), text("s"), text(`t${id}`), Buffer.from("d")]);
const letters: Readonly<Record<Exclude<Deed, "truncated">, string>> = {
  inserted: "I",
  updated: "U",
  deleted: "D",
};

const transactions = fc.array(
  fc.record({
    origin: fc.constantFrom(undefined, "pg_7", "pg_8", ""),
    deeds: fc.array(
      fc.record({
        deed: fc.constantFrom("inserted" as const, "updated" as const, "deleted" as const),
        table: fc.integer({ min: 1, max: 3 }),
      }),
    ),
  }),
);

it("of any transactions, each change counts once unless it came by the expected origin", () => {
  fc.assert(
    fc.property(transactions, (all) => {
      const wanted: Record<string, Record<string, number>> = {};
      const messages: Buffer[] = [1, 2, 3].map(relation);
      for (const { origin: from, deeds } of all) {
        messages.push(begin, ...(from === undefined ? [] : [origin(from)]));
        for (const { deed, table } of deeds) {
          messages.push(numbers(letters[deed], table));
          if (from === "pg_7") continue;
          const before = wanted[`s.t${table}`] ?? {};
          wanted[`s.t${table}`] = { ...before, [deed]: (before[deed] ?? 0) + 1 };
        }
        messages.push(Buffer.from("C"));
      }
      expect(counted(messages, ["pg_7"])).toMatchObject({ isRead: true, tables: wanted });
      expect(Object.keys(counted(messages, ["pg_7"]).tables)).toEqual(Object.keys(wanted).sort());
    }),
  );
});

it("whatever it is given, it reads it or says that it cannot", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const message = readPgoutput(Buffer.from(bytes));
      if ("BORTIUDCMY".includes(String.fromCharCode(bytes[0] ?? 0))) return;
      expect(message).toBeUndefined();
    }),
  );
});

it.each(
  Object.entries({
    nothing: Buffer.alloc(0),
    "a stream of the second protocol": Buffer.from("S\0\0\0\x01"),
    "a change cut short": Buffer.from("I\0\0"),
    "an origin without an end": Buffer.from("O\0\0\0\0\0\0\0\0pg_7"),
    "a TRUNCATE of more tables than are named": numbers("T", 0x7fffffff, 0),
  }),
)("%s is not read", (_, bytes) => {
  expect(readPgoutput(bytes)).toBeUndefined();
  // and never counted as nothing
  expect(counted([bytes]).isRead).toBe(false);
});

it("a change of a table that nobody has named is not read", () => {
  expect(counted([begin, numbers("I", 9)]).isRead).toBe(false);
});
