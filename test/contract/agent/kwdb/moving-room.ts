/** Two demo clusters with real rows behind them, and an agent's verbs on each: 2.2.1 with data, 3.1.0 empty. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { StepResult } from "#agent/verb.ts";
import { createHosts, startCluster, stopCluster } from "#test/doubles/host/cluster.ts";
import type { DemoHost } from "#test/doubles/host/create-host.ts";
import { giveRows } from "#test/doubles/host/rows.ts";
import { buildAssets } from "#test/doubles/kwdb/build-assets.ts";
import { buildPackage } from "#test/doubles/kwdb/build-package.ts";
import { type PostgresServer, startPostgres } from "#test/postgres/server.ts";
import { KwdbDriver } from "./driver.ts";

export interface Side {
  readonly host: DemoHost;
  readonly verbs: KwdbDriver;
  /** One statement after the other; all that was printed. */
  sql(...statements: readonly string[]): Promise<string>;
}

export class MovingRoom {
  readonly #folder = mkdtempSync(path.join(tmpdir(), "lockkeeper-moving-"));
  #postgres: PostgresServer | undefined;
  #assets: string | undefined;
  readonly #hosts: DemoHost[] = [];
  #pairs = 0;

  /** A new pair of clusters; the server behind them is the same. */
  async pair(versions: readonly [string, string] = ["2.2.1", "3.1.0"]): Promise<readonly [Side, Side]> {
    this.#assets ??= await buildAssets(path.join(this.#folder, "assets"));
    this.#postgres ??= await startPostgres();
    this.#pairs += 1;
    const root = path.join(this.#folder, `pair-${this.#pairs}`);
    const parcels: KwdbDriver["parcels"] = new Map();
    const side = async (name: string, version: string): Promise<Side> => {
      const out = path.join(this.#folder, `package-${version}`);
      const installed = await buildPackage({ assets: this.#assets ?? "", version, out });
      const [host] = await createHosts({
        assets: this.#assets ?? "",
        installed,
        root,
        names: [name],
        topology: "single",
        tickScale: 0.1,
      });
      if (host === undefined) throw new Error("no host");
      giveRows([host], this.#postgres?.url ?? "", `p${this.#pairs}_${name}_`);
      this.#hosts.push(host);
      await startCluster([host]);
      const verbs = new KwdbDriver(host, this.#folder);
      verbs.parcels = parcels;
      return { host, verbs, sql: (...statements) => sqlOn(host, statements) };
    };
    return [await side("old", versions[0]), await side("young", versions[1])];
  }

  async close(): Promise<void> {
    await stopCluster(this.#hosts);
    await this.#postgres?.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function sqlOn(host: DemoHost, statements: readonly string[]): Promise<string> {
  const words = statements.flatMap((text) => ["-e", text]);
  const ran = await host.kwbase("sql", "--insecure", ...words, "--format=csv");
  return `${ran.stdout}${ran.stderr}`.trim();
}

/** NULL and empty text, quotes, line ends, Chinese, numbers, instants, an empty table, another schema, a series. */
export const awkwardData = [
  "CREATE DATABASE shop",
  "CREATE TABLE shop.orders (id INT PRIMARY KEY, note STRING, price DECIMAL, at TIMESTAMPTZ, raw BYTES)",
  `INSERT INTO shop.orders VALUES
    (1, 'a "quoted", b', 12.50, '2024-02-29 23:59:59.123456+08', '\\x00ff'),
    (2, '', NULL, NULL, NULL), (3, NULL, -0.000000001, '1969-12-31 00:00:00+00', ''),
    (4, '两行
second line', 99999999999999999999.5, NULL, NULL), (5, 'NULL', 0, NULL, NULL), (6, ' \\N ', 1, NULL, NULL)`,
  'CREATE TABLE shop.empty (id INT PRIMARY KEY, "Name" STRING)',
  'CREATE DATABASE "Straße 1"',
  'CREATE TABLE "Straße 1".t (id INT PRIMARY KEY)',
  'INSERT INTO "Straße 1".t VALUES (7)',
  "CREATE TS DATABASE meters",
  "CREATE TABLE meters.power (ts TIMESTAMPTZ NOT NULL, v FLOAT, s VARCHAR) TAGS (id INT NOT NULL) PRIMARY TAGS (id)",
  "INSERT INTO meters.power VALUES ('2024-01-01 00:00:00+00', 1.5, '中文', 7), ('2024-01-01 00:00:01+00', NULL, '', 7)",
  "CREATE USER clerk",
  "SET CLUSTER SETTING server.shutdown.drain_wait = '3s'",
];

export const read = [
  "SELECT id, note, note IS NULL AS no, price, at, raw FROM shop.orders ORDER BY id",
  "SELECT count(*) FROM shop.empty",
  'SELECT id FROM "Straße 1".t',
  "SELECT ts, v, s, s IS NULL AS no, id FROM meters.power ORDER BY ts",
];

export function why(result: StepResult): string {
  return result.result === "done" ? "done" : `${result.failure.code} ${JSON.stringify(result.failure.facts)}`;
}
