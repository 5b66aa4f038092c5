/**
 * IMPORT, a job that goes on when its client has gone. A relational import is rolled back when it fails; of a
 * time-series one what came in stays, and the rows that were refused stand in `reject.txt` beside the data.
 */
import { appendFileSync, existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CliError } from "../cli-error.ts";
import { knobNumber, strike } from "../knobs.ts";
import type { ClusterNode } from "../node.ts";
import { defaultSettings } from "../tables.ts";
import type { Reply } from "../wire.ts";
import { type Bank, quoted } from "./bank.ts";
import { createTable, isTimeSeries, refuseOldWords } from "./definitions.ts";
import { localPlace } from "./export.ts";
import { chain, type Place, partsOf, plain } from "./names.ts";
import type { Asked } from "./statements.ts";

interface Made {
  readonly place: Place;
  readonly definition: string;
}

export async function importDatabase({ node, bank, found }: Asked): Promise<Reply> {
  const folder = localPlace(node, found[1] ?? "");
  const [create = "", ...rest] = statementsIn(path.join(folder, "meta.sql"));
  const [, named = ""] = new RegExp(`^create\\s+(?:ts\\s+)?database\\s+(${chain})`, "iu").exec(create) ?? [];
  const database = plain(named);
  if (await bank.has(database))
    throw new CliError({ message: `database "${database}" already exists`, sqlstate: "42P04" });
  const tables = [...rest, ...tableFiles(folder).flatMap(statementsIn)].map((text) => madeBy(text, database));
  for (const statement of [create, ...tables.map(({ definition }) => definition)]) refuseOldWords(statement);
  return node.during("IMPORT", async (id) => {
    const counts = { rows: 0, rejected: 0 };
    try {
      await bank.create(database, create);
      for (const table of tables) await importTable({ node, bank, folder }, table, counts);
    } catch (error) {
      if (!tables.some(({ definition }) => isTimeSeries(definition))) await bank.drop(database);
      throw error;
    }
    const columns = ["job_id", "status", "fraction_completed", "rows", "abandon_rows", "reject_rows", "note"];
    return {
      table: { columns, rows: [[id, "succeeded", 1, counts.rows, "0", String(counts.rejected), "None"]] },
    };
  });
}

async function importTable(
  { node, bank, folder }: { readonly node: ClusterNode; readonly bank: Bank; readonly folder: string },
  { place, definition }: Made,
  counts: { rows: number; rejected: number },
): Promise<void> {
  const { database, schema, table } = place;
  const name = `${quoted(schema)}.${quoted(table)}`;
  if (schema !== "public") await bank.run(database, `CREATE SCHEMA IF NOT EXISTS ${quoted(schema)}`);
  await createTable(bank, place, definition);
  await sleep(knobNumber(node.knobs, "import_ms", 0));
  const at = path.join(folder, schema, table);
  const { root } = node.options;
  if (strike(root, node.knobs, "import_fails") === table)
    throw new CliError(`import of ${table} failed: context canceled`);
  const before = counts.rows;
  for (const file of existsSync(at) ? readdirSync(at) : []) {
    if (!/^n?\d+\.\d+\.csv$/.test(file)) continue;
    counts.rows += await bank.in(database, (client) =>
      bank.copyIn(client, name, readFileSync(path.join(at, file))),
    );
  }
  // a fault that is to strike once waits for a table with rows
  if (counts.rows === before) return;
  const rejects = await takeAway(bank, place, Number(strike(root, node.knobs, "import_rejects") ?? 0));
  if (rejects.length > 0) {
    counts.rejected += rejects.length;
    counts.rows -= rejects.length;
    const lines = rejects.map((row) => `${row.join(",")}\nerror: value out of range\n`).join("");
    appendFileSync(path.join(at, "reject.txt"), lines);
  }
  // said by nothing: only a comparison of the rows finds it
  await takeAway(bank, place, Number(strike(root, node.knobs, "import_loses") ?? 0));
}

async function takeAway(bank: Bank, place: Place, count: number) {
  if (!(count > 0)) return [];
  const name = `${quoted(place.schema)}.${quoted(place.table)}`;
  const { table } = await bank.run(
    place.database,
    `DELETE FROM ${name} WHERE ctid IN (SELECT ctid FROM ${name} LIMIT ${count}) RETURNING *`,
  );
  return table?.rows ?? [];
}

export async function importUsers({ node, bank, found }: Asked): Promise<Reply> {
  const statements = statementsIn(localPlace(node, found[1] ?? ""));
  const users = statements.map((statement) => {
    const [, name] = new RegExp(`^create\\s+(?:user|role)\\s+(${chain})`, "iu").exec(statement) ?? [];
    if (name === undefined) throw new CliError(`not a statement of users: ${statement}`);
    return [plain(name), statement] as const;
  });
  const known = (await bank.known("SELECT name FROM users")).map(([name]) => name);
  const twice = users.find(([name]) => known.includes(name));
  if (twice !== undefined) throw new CliError(`a user or role named ${twice[0]} already exists`);
  for (const user of users) await bank.known("INSERT INTO users VALUES ($1, $2)", user);
  return done(users.length);
}

export async function importSettings({ node, found }: Asked): Promise<Reply> {
  const statements = statementsIn(localPlace(node, found[1] ?? ""));
  const settings = statements.map((statement) => {
    const [, name = "", value = ""] = /^set cluster setting ([\w.]+) = '(.*)'$/is.exec(statement) ?? [];
    if (defaultSettings[name] === undefined) throw new CliError(`unknown cluster setting '${name}'`);
    if (name === "version") throw new CliError("cannot set the version by an import");
    return [name, value.replaceAll("''", "'")] as const;
  });
  for (const [name, value] of settings) await node.set(name, value);
  return done(settings.length);
}

function done(rows: number): Reply {
  return { table: { columns: ["job_id", "status", "rows"], rows: [["/", "succeeded", rows]] } };
}

function tableFiles(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true })
    .map(String)
    .filter((file) => file.includes("/") && path.basename(file) === "meta.sql")
    .sort()
    .map((file) => path.join(folder, file));
}

/** One statement a line end with a semicolon; definitions may hold line ends. */
function statementsIn(file: string): readonly string[] {
  if (!existsSync(file)) throw new CliError(`open ${file}: no such file or directory`);
  return readFileSync(file, "utf8")
    .split(/;\n/)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");
}

function madeBy(statement: string, database: string): Made {
  const [, named = "", definition = ""] =
    new RegExp(`^create\\s+table\\s+(${chain})\\s*(\\(.*)$`, "isu").exec(statement) ?? [];
  const [schema = "public", table = ""] = partsOf(named);
  if (table === "") throw new CliError({ message: `syntax error: ${statement}`, sqlstate: "42601" });
  return { place: { database, schema, table }, definition };
}
