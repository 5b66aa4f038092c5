/** Every command of docs/postgresql.md is typed, in its order, against two servers; what it ends with is what the page says. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fencesOf, pages, type TypedCommand, typed } from "#test/contract/documents/page.ts";
import { PostgresFleet } from "#test/flow/processes/harness/postgres-fleet.ts";
import { bundle, isFull, onlyFull } from "../processes/harness/preface.ts";
import type { postgresqlScenes } from "./scenes.ts";
import { Typist } from "./typist.ts";

const skipUnlessFull = onlyFull("a rollout of its own");
const storyLimitMs = 600_000;
const commandsOf = (wanted: (typeof postgresqlScenes)[number]) =>
  typed.filter(({ scene }) => scene === wanted);

const dist = bundle();
let fleet: PostgresFleet;
let typist: Typist;

/** The page's inventory with the servers of this machine, and gates for the impatient. */
function inventory(): string {
  const page = pages.filter(({ name }) => name === "docs/postgresql.md");
  const text =
    page.flatMap(fencesOf).find((fence) => fence.text.startsWith("# schema: inventory"))?.text ?? "";
  return (["old1", "new1"] as const).reduce(
    (all, node) =>
      all.replace(
        new RegExp(`^ {4}nodes:\\n( *${node}: ){ address: [^}]*}$`, "m"),
        `    gates: { every: 200ms, dwell: 400ms, limit: 1m }\n    nodes:\n$1{ address: "127.0.0.1:${fleet.server(node).port}" }`,
      ),
    text,
  );
}

async function play(commands: readonly TypedCommand[]): Promise<void> {
  expect(commands.length).toBeGreaterThan(0);
  for (const { place, text, exitCode } of commands) {
    const { code, said } = await typist.type(text);
    expect(code, `${place}: ${text}\n${said}`).toBe(exitCode);
  }
}

describe("docs/postgresql.md", { timeout: storyLimitMs }, () => {
  beforeEach(async () => {
    if (!isFull) return;
    fleet = await PostgresFleet.start(dist(), { old: 15, new: 18 });
    await fleet.on("old1", "postgres", (client) => client.query("CREATE DATABASE shop"));
    await fleet.on("old1", "shop", (client) => client.query("CREATE TABLE kept AS SELECT 1 AS id"));
    typist = await Typist.at(fleet, inventory());
  }, 180_000);

  afterEach(async () => {
    await typist?.[Symbol.asyncDispose]();
    await fleet?.stop();
  }, 60_000);

  it("from the first files to the old server's retirement", async (context) => {
    skipUnlessFull(context);
    await play(commandsOf("move"));
    await play(commandsOf("left"));
    const { rows } = await fleet.on("new1", "shop", (client) => client.query("SELECT id FROM kept"));
    expect(rows).toEqual([{ id: 1 }]);
  });

  it("and back, instead of retiring it", async (context) => {
    skipUnlessFull(context);
    await play(commandsOf("move").slice(0, -1));
    await fleet.on("new1", "shop", (client) => client.query("INSERT INTO kept VALUES (2)"));
    await play(commandsOf("moved"));
    const { rows } = await fleet.on("old1", "shop", (client) =>
      client.query("SELECT id FROM kept ORDER BY id"),
    );
    expect(rows).toEqual([{ id: 1 }, { id: 2 }]);
  });
});
