/** The zoo is what it says, on the oldest and the newest server, and its rows compare without regard to versions. */
import { readFile, writeFile } from "node:fs/promises";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Major, majors } from "#test/postgres/binaries.ts";
import { type PostgresServer, startPostgres } from "#test/postgres/server.ts";
import { shop, street, writerRole, zooPassword } from "#test/postgres/zoo/roles.ts";
import { zooLargeObjects, zooSequences } from "#test/postgres/zoo/values.ts";
import { loadZoo } from "#test/postgres/zoo/zoo.ts";
import { zooCounts } from "#test/postgres/zoo/zoo-counts.ts";
import { zooKey, zooTables } from "#test/postgres/zoo/zoo-tables.ts";

const full = process.env["LOCKKEEPER_TEST_FULL"] === "1";

async function within<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function counts(server: PostgresServer, database: string): Promise<Record<string, string>> {
  const found = await within(server.urlOf(database), zooCounts);
  return Object.fromEntries([...found].map(([table, { count, hash }]) => [table, `${count} ${hash}`]));
}

function told(major: Major, database: string): Record<string, number> {
  const there = zooTables(major).filter((table) => table.database === database);
  return Object.fromEntries(there.map((table) => [zooKey(table), table.rows]));
}

async function rowsOf(server: PostgresServer, database: string): Promise<Record<string, number>> {
  const found = await within(server.urlOf(database), zooCounts);
  return Object.fromEntries([...found].map(([table, { count }]) => [table, count]));
}

/** The identities that the catalogue shows: what `zooTables` says of a table must be so. */
const identitySql = `
  select n.nspname || '.' || c.relname as key, case
    when bool_or(i.indisprimary) then 'primary key'
    when bool_or(i.indisunique and i.indpred is null and i.indexprs is null and nn.allof) then 'unique index'
    when bool_or(i.indisunique and i.indpred is not null) then 'partial unique index'
    when bool_or(i.indisunique) then 'nullable unique index'
    when exists (select from pg_attribute where attrelid = c.oid and atttypid = 'json'::regtype) then 'none, with json'
    else 'none' end as identity
  from pg_class c join pg_namespace n on n.oid = c.relnamespace left join pg_index i on i.indrelid = c.oid
    left join lateral (select bool_and(a.attnotnull) as allof from pg_attribute a
      where a.attrelid = c.oid and a.attnum = any (i.indkey)) nn on true
  where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema') group by c.oid, n.nspname, c.relname`;

async function isAsTold(server: PostgresServer): Promise<void> {
  for (const database of [shop, street]) {
    expect(await rowsOf(server, database)).toEqual(told(server.major, database));
    const identities = await within(server.urlOf(database), (client) => client.query(identitySql));
    expect(Object.fromEntries(identities.rows.map(({ key, identity }) => [key, identity]))).toEqual(
      Object.fromEntries(
        zooTables(server.major)
          .filter((table) => table.database === database)
          .map((table) => [zooKey(table), table.identity]),
      ),
    );
  }
  await within(server.urlOf(shop), async (client) => {
    for (const [name, { last, called }] of Object.entries(zooSequences)) {
      const { rows } = await client.query(`select last_value::int as last, is_called as called from ${name}`);
      expect([name, rows[0]]).toEqual([name, { last, called }]);
    }
    const objects = await client.query("select oid::int from pg_largeobject_metadata order by 1");
    expect(objects.rows.map(({ oid }) => oid)).toEqual(zooLargeObjects);
  });
}

describe("the zoo of PostgreSQL 10", () => {
  let old: PostgresServer;
  let young: PostgresServer;

  beforeAll(async () => {
    old = await startPostgres({ major: 10 });
    young = await startPostgres({ major: 18 });
    await loadZoo(old);
    await loadZoo(young, 10);
  });

  afterAll(async () => {
    await old?.stop();
    await young?.stop();
  });

  it("has the tables, identities, sequences and large objects that tests are told of", () => isAsTold(old));

  it("has the same content on 18, floats and all, whatever the databases' own settings", async () => {
    await within(young.urlOf("postgres"), async (client) => {
      const shown = [
        "datestyle = German",
        "intervalstyle = iso_8601",
        "bytea_output = escape",
        "timezone = Asia/Tokyo",
      ];
      for (const each of shown)
        await client.query(`alter database ${shop} set ${each.replace("= ", "= '")}'`);
    });
    for (const database of [shop, street])
      expect(await counts(young, database)).toEqual(await counts(old, database));
  });

  it.each([
    ["a last bit of a float", "awkward", "update awkward set f8 = 0.33333333333333337 where id = 1"],
    ["an element of an array of floats", "awkward", "update awkward set f8s = '{0.2}' where id = 4"],
    ["an empty text for a NULL", "readings", "update readings set note = '' where id = 5"],
    [
      "the same text in another column",
      "awkward",
      "update awkward set bytes = null, net = null where id = 10",
    ],
    ["a second one of equal rows", "without_identity", "insert into without_identity values ('', 0)"],
    ["a row of the other parent", "vehicles", "insert into vehicles values (9, 9)"],
  ])("shows %s", async (_, table, change) => {
    const before = await counts(old, shop);
    await within(old.urlOf(shop), (client) => client.query(change));
    const after = await counts(old, shop);
    expect(Object.keys(after).filter((each) => after[each] !== before[each])).toEqual([`public.${table}`]);
  });
});

it("lets its roles in by SCRAM with a password alone, once pg_hba.conf asks for it", async () => {
  await using server = await startPostgres({ major: 10 });
  await loadZoo(server);
  const hba = `${server.data}/pg_hba.conf`;
  const before = await readFile(hba, "utf8");
  await writeFile(hba, `host all ${writerRole} 127.0.0.1/32 scram-sha-256\n${before}`);
  await server.restart();
  const url = server.urlOf(shop, writerRole);
  await expect(within(url, async () => undefined)).rejects.toThrow("password must be a string");
  const known = url.replace("@", `:${encodeURIComponent(zooPassword)}@`);
  await within(known, (client) => client.query("insert into written values (1, 'b')"));
});

it.for(majors)("is as told on PostgreSQL %s", async (major, context) => {
  if (!full && major !== 18) return context.skip("of all majors in make test-full");
  await using server = await startPostgres({ major });
  await loadZoo(server);
  await isAsTold(server);
});
