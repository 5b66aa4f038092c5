/**
 * EXPORT, into folders laid out as the vendor's pages draw them: `meta.sql` of the database, below it schema and table;
 * a relational table has a `meta.sql` of its own. A failed export leaves what it has written.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CliError } from "../cli-error.ts";
import { knobNumber, strike } from "../knobs.ts";
import type { ClusterNode } from "../node.ts";
import type { Cell } from "../table.ts";
import { defaultSettings, settingValue } from "../tables.ts";
import type { Reply } from "../wire.ts";
import { quoted } from "./bank.ts";
import { isTimeSeries } from "./definitions.ts";
import { plain } from "./names.ts";
import type { Asked } from "./statements.ts";

const chunkRows = 100_000;

/** `nodelocal://1/dir` as a folder of this node's store; another node's is refused. */
export function localPlace(node: ClusterNode, url: string): string {
  const [, id = "", dir = ""] = /^nodelocal:\/\/(\d+|self)\/([^?]*)$/.exec(url) ?? [];
  if (dir === "" || dir.split("/").includes(".."))
    throw new CliError(`unsupported storage scheme or place: ${url}`);
  if (id !== "self" && Number(id) !== node.nodeId)
    throw new CliError(`the stand-in writes on its own node alone, which is ${node.nodeId}: ${url}`);
  return path.join(node.options.store, "extern", dir);
}

export async function exportDatabase({ node, bank, found }: Asked): Promise<Reply> {
  const [, url = "", named = ""] = found;
  const folder = localPlace(node, url);
  const database = plain(named);
  const [row] = await bank.known("SELECT statement FROM databases WHERE name = $1", [database]);
  if (row === undefined)
    throw new CliError({ message: `database "${database}" does not exist`, sqlstate: "3D000" });
  const tables = await bank.known(
    "SELECT schema, name, statement FROM tables WHERE database = $1 ORDER BY at",
    [database],
  );
  return node.during("EXPORT", async () => {
    const create = ([schema = "", name = "", definition = ""]: readonly string[]) =>
      `CREATE TABLE ${quoted(schema)}.${quoted(name)} ${definition};\n`;
    const ofSeries = tables.filter(([, , definition = ""]) => isTimeSeries(definition));
    put(path.join(folder, "meta.sql"), `${row[0]};\n${ofSeries.map(create).join("")}`);
    const lines: Cell[][] = [];
    for (const [schema = "", name = "", definition = ""] of tables) {
      await sleep(knobNumber(node.knobs, "export_ms", 0));
      const at = path.join(folder, schema, name);
      if (!isTimeSeries(definition)) put(path.join(at, "meta.sql"), create([schema, name, definition]));
      const csv = await bank.copyOut(database, `${quoted(schema)}.${quoted(name)}`);
      if (csv.length > 0) put(path.join(at, `n${node.nodeId}.0.csv`), csv);
      if (strike(node.options.root, node.knobs, "export_fails") === name)
        throw new CliError(`export of ${name} failed: no space left on device`);
      const { table } = await bank.run(database, `SELECT count(*) FROM ${quoted(schema)}.${quoted(name)}`);
      const rows = Number(table?.rows[0]?.[0] ?? 0);
      lines.push([`TABLE ${database}.${schema}.${name}`, rows, node.nodeId, Math.ceil(rows / chunkRows)]);
      lines.push(["meta.sql", 1, node.nodeId, 1]);
    }
    return ofSeries.length > 0
      ? { table: { columns: ["result"], rows: [["succeed"]] } }
      : { table: { columns: ["filename", "rows", "node_id", "file_num"], rows: lines } };
  });
}

export async function exportUsers({ node, bank, found }: Asked): Promise<Reply> {
  const users = await bank.known("SELECT statement FROM users ORDER BY name");
  // passwords stay behind
  const lines = users.map(([statement = ""]) => `${statement.replace(/\s+password\s+'[^']*'/i, "")};\n`);
  put(path.join(localPlace(node, found[1] ?? ""), "users.sql"), lines.join(""));
  return summary("USERS", users.length, node);
}

export async function exportSettings({ node, found }: Asked): Promise<Reply> {
  const names = Object.keys(defaultSettings);
  const lines = names.map(
    (name) => `SET CLUSTER SETTING ${name} = '${settingValue(node.view(), name).replaceAll("'", "''")}';\n`,
  );
  put(path.join(localPlace(node, found[1] ?? ""), "clustersetting.sql"), lines.join(""));
  return summary("CLUSTER SETTING", names.length, node);
}

function summary(what: string, rows: number, node: ClusterNode): Reply {
  const columns = ["queryname", "rows", "node_id", "file_num"];
  return { table: { columns, rows: [[what, rows, node.nodeId, 1]] } };
}

function put(file: string, content: string | Buffer): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content);
}
