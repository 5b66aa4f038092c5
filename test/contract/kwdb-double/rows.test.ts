/** The stand-in with rows: what an export and an import of real rows need of it, and nothing else. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { cp } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createHosts, startCluster, stopCluster } from "#test/doubles/host/cluster.ts";
import type { DemoHost } from "#test/doubles/host/create-host.ts";
import { giveRows } from "#test/doubles/host/rows.ts";
import { buildAssets } from "#test/doubles/kwdb/build-assets.ts";
import { buildPackage } from "#test/doubles/kwdb/build-package.ts";
import { type PostgresServer, startPostgres } from "#test/postgres/server.ts";

const root = mkdtempSync(path.join(tmpdir(), "lockkeeper-rows-"));
let postgres: PostgresServer;
let old: DemoHost;
let young: DemoHost;

async function host(assets: string, version: string, name: string): Promise<DemoHost> {
  const installed = await buildPackage({ assets, version, out: path.join(root, `package-${version}`) });
  const made = await createHosts({
    assets,
    installed,
    root,
    names: [name],
    topology: "single",
    tickScale: 0.1,
  });
  giveRows(made, postgres.url, `${name}_`);
  await startCluster(made);
  return made[0] as DemoHost;
}

beforeAll(async () => {
  const assets = await buildAssets(path.join(root, "assets"));
  postgres = await startPostgres();
  old = await host(assets, "2.2.1", "old");
  young = await host(assets, "3.1.0", "young");
}, 60_000);

afterAll(async () => {
  await stopCluster([old, young].filter((each) => each !== undefined));
  await postgres?.stop();
  rmSync(root, { recursive: true, force: true });
});

async function sql(on: DemoHost, ...statements: readonly string[]): Promise<string> {
  const ran = await on.kwbase(
    "sql",
    "--insecure",
    ...statements.flatMap((text) => ["-e", text]),
    "--format=csv",
  );
  return `${ran.stdout}${ran.stderr}`.trim();
}

const awkward = `INSERT INTO shop.orders VALUES (1, 'a "b", c', 12.50), (2, '', NULL), (3, NULL, -0.001), (4, '两行
line two', 99999999999)`;

describe("the stand-in with rows", () => {
  it("keeps NULL, empty texts, quotes, line ends and Chinese through export and import", async () => {
    await sql(
      old,
      "CREATE DATABASE shop",
      "CREATE TABLE shop.orders (id INT PRIMARY KEY, note STRING, price DECIMAL)",
      "CREATE TABLE shop.empty (id INT PRIMARY KEY)",
      awkward,
    );
    const read = "SELECT id, note, note IS NULL AS no, price FROM shop.orders ORDER BY id";
    const before = await sql(old, read);
    expect(before).toContain('2,"",f,NULL');
    expect(await sql(old, 'EXPORT INTO CSV "nodelocal://1/x" FROM DATABASE shop WITH privileges')).toContain(
      "TABLE shop.public.orders,4,1,1",
    );
    const folder = old.path("/var/lib/kaiwudb/extern/x");
    expect(readFileSync(path.join(folder, "public/orders/n1.0.csv"), "utf8")).toContain('2,"",\n');
    await cp(folder, young.path("/var/lib/kaiwudb/extern/x"), { recursive: true });
    const imported = await sql(young, 'IMPORT DATABASE CSV DATA ("nodelocal://1/x") WITH privileges');
    expect(imported).toMatch(/,succeeded,1,4,0,0,None$/);
    expect(await sql(young, read)).toBe(before);
    expect(await sql(young, "SELECT count(*) FROM shop.public.empty")).toBe("count\n0");
  });

  it("writes PARTITION INTERVAL into a 2.x time-series meta.sql, which 3.1 refuses", async () => {
    await sql(
      old,
      "CREATE TS DATABASE meters",
      "CREATE TABLE meters.power (ts TIMESTAMPTZ NOT NULL, v FLOAT) TAGS (id INT NOT NULL) PRIMARY TAGS (id)",
      "INSERT INTO meters.power VALUES ('2024-01-01 00:00:00+00', 1.5, 7)",
    );
    expect(await sql(old, 'EXPORT INTO CSV "nodelocal://1/m" FROM DATABASE meters')).toBe("result\nsucceed");
    const folder = old.path("/var/lib/kaiwudb/extern/m");
    expect(readFileSync(path.join(folder, "meta.sql"), "utf8")).toContain("PARTITION INTERVAL 10d");
    await cp(folder, young.path("/var/lib/kaiwudb/extern/m"), { recursive: true });
    expect(await sql(young, 'IMPORT DATABASE CSV DATA ("nodelocal://1/m")')).toContain("syntax error");
  });

  it("leaves what a failed export has written", async () => {
    await old.faults({ export_fails: "orders" });
    await expect
      .poll(async () => sql(old, 'EXPORT INTO CSV "nodelocal://1/y" FROM DATABASE shop'))
      .toContain("no space left");
    await old.faults({});
    expect(existsSync(old.path("/var/lib/kaiwudb/extern/y/meta.sql"))).toBe(true);
  });

  it("refuses writes while it is read-only, and reads and exports", async () => {
    await sql(old, "SET CLUSTER SETTING default_transaction_read_only.enabled = true");
    expect(await sql(old, "INSERT INTO shop.orders VALUES (9, 'x', 1)")).toContain("read-only transaction");
    expect(await sql(old, "SET CLUSTER SETTING server.shutdown.drain_wait = '1s'")).toContain("read-only");
    expect(await sql(old, 'EXPORT INTO CSV "nodelocal://1/z" FROM DATABASE shop')).toContain("orders,");
    await sql(old, "SET CLUSTER SETTING default_transaction_read_only.enabled = false");
    expect(await sql(old, "INSERT INTO shop.orders VALUES (9, 'x', 1)")).toBe("INSERT 1");
  });

  it("refuses what it does not know by name", async () => {
    expect(await sql(old, "TRUNCATE shop.orders")).toContain("does not know this statement");
    expect(await sql(old, 'EXPORT INTO CSV "nodelocal://3/z" FROM DATABASE shop')).toContain(
      "own node alone",
    );
  });
});
