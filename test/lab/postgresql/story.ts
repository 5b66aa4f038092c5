// A move between two real hosts as its story is told: an application that writes over roads to both servers and takes
// whichever accepts, the commands as an operator types them, and what is left on either host.
import { readFile } from "node:fs/promises";
import pg from "pg";
import { expect } from "vitest";
import type { Plan } from "#coordinator/domain/plan.ts";
import { proveRows, type WriterLog } from "#test/postgres/rows-proof.ts";
import { startWriter, type Writer } from "#test/postgres/writer.ts";
import type { RunResult } from "../harness/index.ts";
import { PgFleet, type PgFleetSpec } from "./fleet.ts";
import type { PgHost } from "./pg-host.ts";
import { openRoad, type Road } from "./road.ts";

export type Which = "old" | "new";

export const nothingWrong = { lost: [], doubled: [], stale: [], strange: [] };
/** What a user would notice; how long it took is in the test's output. */
export const noticedMs = 10_000;
const commandMs = 300_000;

/** Who writes, and where: `written (id bigint, body text)` in `shop`. */
export interface Application {
  readonly role: string;
  prepare(old: PgHost): Promise<void>;
}

const tables = [
  "CREATE TABLE written (id bigint PRIMARY KEY, body text)",
  "CREATE TABLE bare (a int, b text)",
  "INSERT INTO bare SELECT i, 'x' || i FROM generate_series(1, 500) AS i",
  "CREATE SEQUENCE free START 40 INCREMENT 3",
  "SELECT nextval('free'), nextval('free')",
  "CREATE INDEX later ON bare (b)",
  "GRANT ALL ON ALL TABLES IN SCHEMA public TO app",
];

const plainShop: Application = {
  role: "app",
  async prepare(old) {
    await old.createRole("app");
    await old.sql("postgres", "CREATE DATABASE shop OWNER app");
    await old.sql(
      "postgres",
      "COMMENT ON DATABASE shop IS 'one'; REVOKE TEMPORARY ON DATABASE shop FROM public",
    );
    await old.sql("shop", `${tables.join(";\n")};`);
  },
};

export class MoveStory implements AsyncDisposable {
  readonly fleet: PgFleet;
  readonly writer: Writer;
  readonly #roads: Readonly<Record<Which, Road>>;
  readonly #role: string;
  rollout = "";

  private constructor(fleet: PgFleet, roads: Readonly<Record<Which, Road>>, role: string) {
    this.fleet = fleet;
    this.#roads = roads;
    this.#role = role;
    this.writer = startWriter({ urls: [this.url("old"), this.url("new")], table: "written" });
  }

  /** Two servers that serve, their agents, and a writer that has begun on the old one. */
  static async begin(spec: PgFleetSpec, { role, prepare } = plainShop): Promise<MoveStory> {
    const fleet = await PgFleet.start(spec);
    try {
      await prepare(fleet.old);
      fleet.new.knowRole(role, fleet.old.passwordOf(role));
      const [old, young] = await Promise.all([
        openRoad(fleet.lab, fleet.old),
        openRoad(fleet.lab, fleet.new),
      ]);
      const story = new MoveStory(fleet, { old, new: young }, role);
      await story.writer.accepted(20);
      return story;
    } catch (error) {
      await fleet[Symbol.asyncDispose]();
      throw error;
    }
  }

  url(which: Which, role = this.#role, database = "shop"): string {
    return this.#roads[which].url(role, database);
  }

  /** In the new cluster's order of things: `orders` is planned, begun, and waits for a person before its cut-over. */
  async untilReady(): Promise<void> {
    const planned = await this.fleet.plan();
    expect(planned.code, await this.fleet.explained(planned)).toBe(0);
    await this.apply(8);
  }

  /** Applies the plan's file with a word for each check that asks for one. */
  async apply(code: number, file = this.fleet.planFile): Promise<RunResult> {
    const { asks } = JSON.parse(await readFile(file, "utf8")) as Plan;
    const words = asks.flatMap((check) => ["--ack", check]);
    const applied = await this.fleet.applyFile(file, commandMs, ...words);
    await this.#mustEnd(code, "apply", applied);
    this.rollout = (await this.fleet.rollout()).id;
    return applied;
  }

  /** Approves what is waited for and follows; 8: until the next wait, 0: to the end. */
  approve(code: number): Promise<RunResult> {
    return this.typed(code, "approve", this.rollout);
  }

  async typed(code: number, ...words: readonly string[]): Promise<RunResult> {
    const ended = await this.fleet.longCli(commandMs, ...words);
    await this.#mustEnd(code, words.join(" "), ended);
    return ended;
  }

  async goBack(): Promise<void> {
    const file = this.fleet.lab.file("back.json");
    await this.fleet.must("plan", "--back", this.rollout, "-o", file);
    await this.apply(0, file);
  }

  /** So many more rows, and where the last of them went. */
  async writesOn(count: number, limitMs = 20_000): Promise<Which> {
    const { accepted } = this.writer.log;
    await this.writer.accepted(accepted.length + count, limitMs);
    const last = this.writer.log.accepted.at(-1)?.server;
    return last === this.url("old") ? "old" : "new";
  }

  /** Ends the writer; every row of which it was told must be there, once and as it was left. */
  async prove(which: Which): Promise<WriterLog> {
    const log = await this.writer.stop();
    expect(log.unknown.length).toBeLessThan(3);
    expect(await this.as(which, this.#role, (client) => proveRows(log, client))).toEqual(nothingWrong);
    const by = (server: Which) => log.accepted.filter((row) => row.server === this.url(server)).length;
    console.log(
      `${log.accepted.length} rows accepted, ${by("old")} by the old, ${by("new")} by the new server; ` +
        `${log.unknown.length} unknown; longest pause ${Math.round(log.longestPauseMs)} ms`,
    );
    return log;
  }

  async as<T>(
    which: Which,
    role: string,
    work: (client: pg.Client) => Promise<T>,
    database = "shop",
  ): Promise<T> {
    const client = new pg.Client({
      connectionString: this.url(which, role, database),
      connectionTimeoutMillis: 10_000,
    });
    client.on("error", () => undefined);
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }

  server(which: Which): PgHost {
    return this.fleet[which];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.writer.stop();
    await this.fleet[Symbol.asyncDispose]();
  }

  async #mustEnd(code: number, what: string, ended: RunResult): Promise<void> {
    if (ended.code === code) return;
    const why = await this.fleet.cli("why", this.fleet.clusterName);
    throw new Error(
      `${what}: ${ended.code}, not ${code}\n${why.stdout}\n${await this.fleet.explained(ended)}`,
    );
  }
}

const named = `
  SELECT 'role ' || rolname AS name FROM pg_roles WHERE rolname LIKE 'lockkeeper%'
  UNION ALL SELECT 'slot ' || slot_name FROM pg_replication_slots
  UNION ALL SELECT 'subscription ' || subname FROM pg_subscription
  UNION ALL SELECT 'publication ' || pubname FROM pg_publication`;

/** Whatever the move has made on a host and its server, line by line; empty where all is as if it had never been. */
export async function leftOn(server: PgHost): Promise<readonly string[]> {
  const { host, hbaFile } = server;
  const databases = (
    await server.sql("postgres", "SELECT datname FROM pg_database WHERE datallowconn")
  ).split("\n");
  const found: string[] = [];
  for (const database of databases) found.push(...lines(await server.sql(database, named)));
  const hba = await host.exec(["grep", "lockkeeper_", hbaFile]);
  const folders = [
    "/var/lib/postgresql",
    "/var/lib/lockkeeper-agent/moving",
    "/var/lib/lockkeeper-agent/verifiers",
  ];
  const files = await host.exec([
    "sh",
    "-c",
    'find "$1" -maxdepth 1 -name "*lockkeeper*"; find "$2" "$3" -type f',
    "find",
    ...folders,
  ]);
  return [...new Set(found), ...lines(hba.stdout), ...lines(files.stdout)];
}

function lines(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}
