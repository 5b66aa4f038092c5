/**
 * The real PostgreSQL behind the stand-in, where the host's file names one (`rows=postgres://…`): each database of this
 * cluster is one there, its name begun with `rows_prefix`, so that several clusters may share a server. What KWDB knows
 * of its databases and PostgreSQL does not (statements, users, zones) stands in a database of its own.
 */
import type { Client } from "pg";
import { CliError } from "../cli-error.ts";
import type { Knobs } from "../knobs.ts";
import type { Cell, Table } from "../table.ts";
import { CopyIn, CopyOut } from "./copy.ts";

export const defaultDatabases = ["defaultdb", "postgres", "system"] as const;

const catalogue = `
  CREATE TABLE IF NOT EXISTS databases (name text PRIMARY KEY, statement text NOT NULL);
  CREATE TABLE IF NOT EXISTS tables (database text, schema text, name text, statement text, at serial,
    PRIMARY KEY (database, schema, name));
  CREATE TABLE IF NOT EXISTS users (name text PRIMARY KEY, statement text NOT NULL);
  CREATE TABLE IF NOT EXISTS zones (target text PRIMARY KEY, statement text NOT NULL);
`;

/** Undefined where the host has no rows. */
export async function openBank(knobs: Knobs): Promise<Bank | undefined> {
  const url = knobs["rows"];
  if (url === undefined) return undefined;
  const bank = new Bank(url, knobs["rows_prefix"] ?? "");
  await bank.prepare();
  return bank;
}

export class Bank {
  readonly #url: string;
  readonly #prefix: string;

  constructor(url: string, prefix: string) {
    this.#url = url;
    this.#prefix = prefix;
  }

  async prepare(): Promise<void> {
    const own = `${this.#prefix}kwdb`;
    const found = await this.#on("postgres", (client) =>
      client.query("SELECT 1 FROM pg_database WHERE datname = $1", [own]),
    );
    if (found.rowCount === 0)
      await this.#on("postgres", (client) => client.query(`CREATE DATABASE ${quoted(own)}`)).catch(existing);
    await this.#on(own, (client) => client.query(catalogue)).catch(existing);
  }

  async create(name: string, statement: string): Promise<void> {
    await this.#on("postgres", (client) =>
      client.query(`CREATE DATABASE ${quoted(this.#prefix + name)} TEMPLATE template0`),
    );
    await this.known("INSERT INTO databases VALUES ($1, $2)", [name, statement]);
  }

  async drop(name: string): Promise<void> {
    await this.known("DELETE FROM databases WHERE name = $1", [name]);
    await this.known("DELETE FROM tables WHERE database = $1", [name]);
    await this.#on("postgres", (client) =>
      client.query(`DROP DATABASE IF EXISTS ${quoted(this.#prefix + name)} WITH (FORCE)`),
    );
  }

  /** What KWDB knows of its databases; rows of texts. */
  async known(sql: string, values: readonly string[] = []): Promise<readonly (readonly string[])[]> {
    return this.#on(`${this.#prefix}kwdb`, async (client) => {
      const { rows } = await client.query({ text: sql, values: [...values], rowMode: "array" });
      return rows as string[][];
    });
  }

  async has(name: string): Promise<boolean> {
    return (await this.known("SELECT 1 FROM databases WHERE name = $1", [name])).length > 0;
  }

  /** One statement in a database; its rows as texts, and its tag as KWDB prints it. */
  async run(database: string, sql: string): Promise<{ readonly table?: Table; readonly tag?: string }> {
    return this.in(database, async (client) => {
      const { fields, rows, command, rowCount } = await client.query({ text: sql, rowMode: "array" });
      if (fields.length > 0)
        return { table: { columns: fields.map(({ name }) => name), rows: rows as Cell[][] } };
      return { tag: command === "INSERT" ? `INSERT ${rowCount}` : `${command} ${rowCount ?? ""}`.trim() };
    });
  }

  async copyOut(database: string, table: string): Promise<Buffer> {
    return this.in(
      database,
      (client) => client.query(new CopyOut(`COPY ${table} TO STDOUT (FORMAT csv)`)).whole,
    );
  }

  /** Rows that were taken in. */
  async copyIn(client: Client, table: string, csv: Buffer): Promise<number> {
    return client.query(new CopyIn(`COPY ${table} FROM STDIN (FORMAT csv)`, csv)).taken;
  }

  async in<T>(database: string, work: (client: Client) => Promise<T>): Promise<T> {
    if (!(await this.has(database)))
      throw new CliError({ message: `database "${database}" does not exist`, sqlstate: "3D000" });
    return this.#on(this.#prefix + database, work);
  }

  async #on<T>(database: string, work: (client: Client) => Promise<T>): Promise<T> {
    const { default: pg } = await import("pg");
    const client = new pg.Client({
      connectionString: this.#url.replace(/\/[^/]*$/, `/${encodeURIComponent(database)}`),
      // rows go on as texts, as they came
      types: { getTypeParser: () => (text: string) => text },
    });
    client.on("error", () => undefined);
    await client.connect();
    try {
      return await work(client);
    } catch (error) {
      if (error instanceof Error && "code" in error)
        throw new CliError({ message: error.message, sqlstate: String(error.code) });
      throw error;
    } finally {
      await client.end();
    }
  }
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Two nodes of a cluster may begin at once. */
function existing(error: unknown): void {
  if (!/exists|unique|concurrently/.test(String(error))) throw error;
}
