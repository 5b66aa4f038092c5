/** Statements about rows, where there is a PostgreSQL behind the stand-in; what is not known here goes on to the others. */
import { CliError } from "../cli-error.ts";
import type { ClusterNode } from "../node.ts";
import { settingValue } from "../tables.ts";
import type { Reply } from "../wire.ts";
import { type Bank, defaultDatabases, openBank, quoted } from "./bank.ts";
import { createTable, isTimeSeries, refuseOldWords } from "./definitions.ts";
import { exportDatabase, exportSettings, exportUsers } from "./export.ts";
import { importDatabase, importSettings, importUsers } from "./import.ts";
import { chain, placeOf, plain } from "./names.ts";

export interface Asked {
  readonly node: ClusterNode;
  readonly bank: Bank;
  readonly text: string;
  readonly found: RegExpExecArray;
}

interface Known {
  readonly shape: RegExp;
  readonly writes: boolean;
  readonly answer: (asked: Asked) => Promise<Reply>;
}

const re = (source: string) => new RegExp(`^${source.replaceAll(" ", String.raw`\s+`)}$`, "isu");
const place = `(${chain})`;
const text = `["']([^"']+)["']`;

const reads = (source: string, answer: Known["answer"]): Known => ({
  shape: re(source),
  writes: false,
  answer,
});
const writes = (source: string, answer: Known["answer"]): Known => ({
  shape: re(source),
  writes: true,
  answer,
});

const known: readonly Known[] = [
  reads("show databases", async ({ bank }) => databases(bank)),
  reads(String.raw`select database_name from \[show databases\]`, async ({ bank }) => {
    const { columns, rows } = (await databases(bank)).table;
    return { table: { columns: columns.slice(0, 1), rows: rows.map((row) => row.slice(0, 1)) } };
  }),
  reads(
    String.raw`select database_name, ?count\(\*\) as tables from kwdb_internal\.tables where state = 'PUBLIC' group by database_name`,
    async ({ bank }) => ({
      table: {
        columns: ["database_name", "tables"],
        rows: await bank.known("SELECT database, count(*) FROM tables GROUP BY database"),
      },
    }),
  ),
  reads(`show tables from ${place}`, async ({ bank, found }) => ({
    table: {
      columns: ["table_name", "table_type"],
      rows: (
        await bank.known("SELECT name, statement FROM tables WHERE database = $1 ORDER BY name", [
          plain(found[1] ?? ""),
        ])
      ).map(([name = "", statement = ""]) => [
        name,
        isTimeSeries(statement) ? "TIME SERIES TABLE" : "BASE TABLE",
      ]),
    },
  })),
  writes(`create (?:ts )?database (?:if not exists )?${place}(?: .*)?`, createDatabase),
  writes(`drop database (if exists )?${place}(?: cascade| restrict)?`, async ({ bank, found }) => {
    const name = plain(found[2] ?? "");
    if (found[1] === undefined && !(await bank.has(name))) throw missing(name);
    await bank.drop(name);
    return { tag: "DROP DATABASE" };
  }),
  writes(`create schema ${place}`, async ({ bank, found }) => {
    const { database, table } = placeOf(found[1] ?? "");
    await bank.run(database, `CREATE SCHEMA ${quoted(table)}`);
    return { tag: "CREATE SCHEMA" };
  }),
  writes(String.raw`create table ${place}\s*(\(.*)`, async ({ bank, found }) => {
    await createTable(bank, placeOf(found[1] ?? ""), found[2] ?? "");
    return { tag: "CREATE TABLE" };
  }),
  writes(`(insert into|delete from|update) ${place}(.*)`, async ({ bank, found }) => {
    const { database, schema, table } = placeOf(found[2] ?? "");
    return bank.run(database, `${found[1]} ${quoted(schema)}.${quoted(table)}${found[3] ?? ""}`);
  }),
  reads(`export into csv ${text} from database ${place}( with privileges)?`, exportDatabase),
  reads(`export users to sql ${text}`, exportUsers),
  reads(`export cluster setting to sql ${text}`, exportSettings),
  writes(String.raw`import database csv data \(\s*${text}\s*\)( with privileges)?`, importDatabase),
  writes(String.raw`import users sql data \(\s*${text}\s*\)`, importUsers),
  writes(String.raw`import cluster setting sql data \(\s*${text}\s*\)`, importSettings),
  writes(`create (?:user|role) ${place}(?: .*)?`, async ({ bank, text: statement, found }) => {
    await bank
      .known("INSERT INTO users VALUES ($1, $2)", [plain(found[1] ?? ""), statement])
      .catch((error: unknown) => {
        throw new CliError(`a user or role named ${found[1]} already exists (${String(error)})`);
      });
    return { tag: "CREATE USER" };
  }),
  reads("show users", async ({ bank }) => ({
    table: {
      columns: ["username", "options", "member_of"],
      rows: [
        ["admin", "CREATEROLE", "{}"],
        ["root", "CREATEROLE", "{admin}"],
        ...(await bank.known("SELECT name, '', '{}' FROM users ORDER BY name")),
      ],
    },
  })),
  writes(`alter ((?:database|table|range) ${chain}) configure zone using (.*)`, async ({ bank, found }) => {
    await bank.known("INSERT INTO zones VALUES ($1, $2) ON CONFLICT (target) DO UPDATE SET statement = $2", [
      found[1] ?? "",
      found[2] ?? "",
    ]);
    return { tag: "CONFIGURE ZONE 1" };
  }),
  reads("show all zone configurations", async ({ bank }) => zones(bank)),
  reads(`select (.*) from ${place}( .*)?`, select),
];

/** Undefined: no rows here, or not about them. */
export async function rowsReply(node: ClusterNode, statement: string): Promise<Reply | undefined> {
  const bank = await openBank(node.knobs);
  if (bank === undefined) return undefined;
  for (const { shape, writes: changes, answer } of known) {
    const found = shape.exec(statement);
    if (found === null || (answer === select && isInternal(found))) continue;
    if (changes) refuseWhileReadOnly(node, statement);
    return answer({ node, bank, text: statement, found });
  }
  return undefined;
}

export function refuseWhileReadOnly(node: ClusterNode, statement: string): void {
  if (settingValue(node.view(), "default_transaction_read_only.enabled") !== "true") return;
  const [word = ""] = statement.split(/\s/);
  throw new CliError({
    message: `cannot execute ${word.toUpperCase()} in a read-only transaction`,
    sqlstate: "25006",
  });
}

function isInternal(found: RegExpExecArray): boolean {
  return /^select /i.test(found[0]) && /\bfrom\s+(kwdb_internal\.|\[)/i.test(found[0]);
}

async function databases(bank: Bank) {
  const made = await bank.known("SELECT name, statement FROM databases ORDER BY name");
  const all = [
    ...defaultDatabases.map((name) => [name, "RELATIONAL"]),
    ...made
      .filter(([name = ""]) => !(defaultDatabases as readonly string[]).includes(name))
      .map(([name = "", statement = ""]) => [
        name,
        /^create\s+ts/i.test(statement) ? "TIME SERIES" : "RELATIONAL",
      ]),
  ];
  return { table: { columns: ["database_name", "engine_type"], rows: all } };
}

async function createDatabase({ bank, text: statement, found }: Asked): Promise<Reply> {
  const name = plain(found[1] ?? "");
  if (await bank.has(name))
    throw new CliError({ message: `database "${name}" already exists`, sqlstate: "42P04" });
  refuseOldWords(statement);
  await bank.create(name, statement);
  return { tag: "CREATE DATABASE" };
}

async function select({ bank, found }: Asked): Promise<Reply> {
  const [, what = "", from = "", rest = ""] = found;
  const { database, schema, table } = placeOf(from);
  // KWDB has schemas of its own that are none of PostgreSQL's
  const names = schema === "information_schema" ? `${schema}.${table}` : `${quoted(schema)}.${quoted(table)}`;
  return bank.run(database, `SELECT ${what} FROM ${names}${rest}`);
}

async function zones(bank: Bank): Promise<Reply> {
  const made = await bank.known("SELECT target, statement FROM zones ORDER BY target");
  const rows = [
    ["RANGE default", "ALTER RANGE default CONFIGURE ZONE USING\n\tnum_replicas = 3"],
    ["RANGE system", "ALTER RANGE system CONFIGURE ZONE USING\n\tnum_replicas = 5"],
    ...made.map(([target = "", statement = ""]) => [
      target.replace(/^[a-z]+/i, (word) => word.toUpperCase()),
      `ALTER ${target} CONFIGURE ZONE USING\n\t${statement}`,
    ]),
  ];
  return { table: { columns: ["target", "raw_config_sql"], rows } };
}

function missing(name: string): CliError {
  return new CliError({ message: `database "${name}" does not exist`, sqlstate: "3D000" });
}
