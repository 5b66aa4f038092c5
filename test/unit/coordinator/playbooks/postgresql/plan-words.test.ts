/** A plan is read by people before it runs: what it measures, watches and would undo stands in it in words. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { renderPlan } from "#coordinator/cli/render/plan.ts";
import type { PlaybookInput } from "#coordinator/domain/playbook.ts";
import { postgresql } from "#coordinator/playbooks/postgresql.ts";
import { en } from "#proto/catalogue/en/index.ts";
import { inPlaceInput } from "./in-place/cluster.ts";
import { makingInput } from "./making/cluster.ts";
import { inputOf } from "./pair.ts";

const plain = (_: unknown, text: string) => text;

function linesOf(input: PlaybookInput): readonly string[] {
  const made = postgresql.plan(input);
  if (!made.ok) throw new Error(made.failure.code);
  return renderPlan(made.value, plain).split("\n");
}

describe.each<[string, PlaybookInput]>([
  ["a move", inputOf({})],
  ["an upgrade in place", inPlaceInput()],
  ["a new server", makingInput()],
])("the plan of %s", (_, input) => {
  it("has words for each gate, watch and undo, and says of each gate which server it asks", () => {
    const lines = linesOf(input);
    const told = lines.filter((line) =>
      / gate[ :]| until: | watch [a-z0-9-]+ on |mended by |undo: /.test(line),
    );
    expect(told.length).toBeGreaterThan(3);
    expect(told.filter((line) => /\b(gate|postgresql)\.[a-z]|\(not said\)|=\[|\["/.test(line))).toEqual([]);
    const first = lines.findIndex((line) => line.includes("gate before"));
    expect(lines[first]).not.toBe(lines[first + 1]);
  });
});

it("a move names both servers, the databases, and what is given up when a disk gets full", () => {
  const text = linesOf(inputOf({})).join("\n");
  expect(text).toContain("gate before: the server of alt answers, and is no standby");
  expect(text).toContain("gate before: the server of neu answers, and is no standby");
  expect(text).toContain("on neu every table has its rows and follows, in shop: ");
  expect(text).toMatch(
    /watch wal-room on old: how full the disk of the WAL is, in percent; warns at 80, at 90: replication is given up/,
  );
  expect(text).toMatch(/undo: the slots are dropped/);
});

it("a move says in words what comes late and is mended, and names a watch as the log does", () => {
  const lines = linesOf(inputOf({}));
  const mended = lines.filter((line) => line.includes("mended by"));
  expect(new Set(mended)).toEqual(
    new Set([
      "   mended by mend-schema, which runs again, at most 20 times in a row: a table that the new server does not have; a column that it does not have; a table whose rows it cannot find",
    ]),
  );
  const watches = lines.filter((line) => / {3}watch .* on /.test(line));
  expect(watches.filter((line) => !/ watch (wal-room|slots|identities|fence-openings)/.test(line))).toEqual(
    [],
  );
});

it("what a person must answer for stands in its last lines, where it is read", () => {
  const lines = linesOf(inputOf({ shop: { unlogged: ["public.u"] } }));
  expect(lines.at(-1)).toMatch(
    /^needs your word: --ack postgresql.unlogged --reason "…" {3}\(the rows of unlogged tables are NOT carried, .*: shop: public.u/,
  );
});

it("the commands of a plan name its cluster, and are pasted as they stand", () => {
  for (const input of [inputOf({}), inPlaceInput(), makingInput()]) {
    const [cluster = ""] = [input.cluster.name];
    const commands = linesOf(input).flatMap(
      (line) => line.match(/lockkeeper (retry|abort|plan --back)( \S+)?/g) ?? [],
    );
    expect(commands.length).toBeGreaterThan(2);
    expect(commands.filter((command) => !new RegExp(` ${cluster}[,:;]?$`).test(command))).toEqual([]);
  }
});

it("a gate that needs no dwell is green once, and a limit that warns and reacts alike is told once", () => {
  const text = linesOf(inputOf({})).join("\n");
  expect(text).toContain("every 500ms, green once, at most 1m00s");
  expect(text).not.toContain(" 0ms");
  expect(text).toContain(": how many published tables cannot be found by their rows; at 1: these tables are");
});

/** Also of plans that these servers do not ask for: under Patroni, by pglogical, with a restart, of the other engine. */
it("has words for every gate, probe, reaction and undo of every engine", () => {
  const folder = new URL("../../../../../coordinator/playbooks", import.meta.url).pathname;
  const text = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => readFileSync(join(folder, name), "utf8"))
    .join("\n");
  const found = (pattern: RegExp, kind: string) =>
    [...text.matchAll(pattern)].map(
      ([, name = ""]) => `${kind}.${name.includes(".") ? name : `postgresql.${name}`}`,
    );
  const wanted = [
    ...found(/undo: call\("([^"]+)"/g, "undo"),
    ...found(/undo: \{ verb: "([^"]+)"/g, "undo"),
    ...found(/probe: call\("([^"]+)"/g, "probe"),
    ...found(/reaction: call\("([^"]+)"/g, "reaction"),
    ...found(/^ {2}"((?:kwdb|postgresql)\.[a-z-]+)": [a-zA-Z]+,$/gm, "gate"),
  ];
  expect(wanted.length).toBeGreaterThan(50);
  expect([...new Set(wanted)].filter((code) => en[code] === undefined)).toEqual([]);
});
