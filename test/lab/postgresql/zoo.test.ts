// One object of every kind goes over between real servers with Debian's own contrib packages: each table's rows, each
// sequence's place, roles and settings; and what is not carried is what we say is not carried.
import { afterEach, expect, it } from "vitest";
import { quoted, shop, street, writerRole, zooPassword } from "#test/postgres/zoo/roles.ts";
import { zooSequences } from "#test/postgres/zoo/values.ts";
import { zooSql } from "#test/postgres/zoo/zoo.ts";
import { type TableContent, zooCounts } from "#test/postgres/zoo/zoo-counts.ts";
import { zooTables } from "#test/postgres/zoo/zoo-tables.ts";
import { describeLongLab } from "../harness/index.ts";
import { lackOf, type Major, type PgHost } from "./pg-host.ts";
import { type Application, leftOn, MoveStory, noticedMs, type Which } from "./story.ts";

const caseMs = 580_000;
const inspector = "inspector";
let story: MoveStory | undefined;

afterEach(async () => {
  await story?.[Symbol.asyncDispose]();
  story = undefined;
}, 60_000);

const zoo: Application = {
  role: writerRole,
  async prepare(old) {
    const statements = zooSql(old.major);
    for (const database of ["postgres", shop, street]) {
      const own = statements.filter((each) => each.database === database);
      await old.sql(database, own.map(({ sql }) => `${sql};`).join("\n"));
    }
    // by nothing can its rows be told apart, and so a person must first do as the refusal says
    await old.sql(shop, "ALTER TABLE json_log ADD PRIMARY KEY (at)");
    old.knowRole(writerRole, zooPassword);
    await old.createRole(inspector, "SUPERUSER LOGIN");
  },
};

/** By table, those left out that the writer changes or that are not carried. */
async function contents(which: Which, database: string): Promise<Readonly<Record<string, TableContent>>> {
  const all = await story?.as(which, inspector, zooCounts, database);
  const isLeftOut = (key: string) => ["public.written", "public.session_cache"].includes(key);
  return Object.fromEntries([...(all ?? [])].filter(([key]) => !isLeftOut(key)));
}

const rolesSql = `
  SELECT rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolconnlimit,
         rolpassword, rolvaliduntil, rolbypassrls, shobj_description(oid, 'pg_authid')
    FROM pg_authid WHERE rolname !~ '^pg_' ORDER BY 1`;
const settingsSql = `
  SELECT datname, rolname, setconfig FROM pg_db_role_setting LEFT JOIN pg_database d ON d.oid = setdatabase
    LEFT JOIN pg_roles r ON r.oid = setrole ORDER BY 1, 2`;
const databasesSql = `
  SELECT datname, pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datconnlimit,
         (SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM unnest(datacl) a), shobj_description(oid, 'pg_database')
    FROM pg_database ORDER BY 1`;
/** An owner has every right, and since 17 one more. */
const withoutMaintain = "regexp_replace(a::text, '(=[a-zA-Z*]*)m', '\\1')";
/** What an extension brings is its version's. */
const ofNoExtension = "NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = pg_proc.oid AND d.deptype = 'e')";
const objectsSql = `
  SELECT format('class %s %s', relkind, oid::regclass) FROM pg_class WHERE oid >= 16384 AND relnamespace <> 99
  UNION ALL SELECT format('constraint %s %s %s', conname, contype, convalidated) FROM pg_constraint
   WHERE oid >= 16384 AND contype <> 'n'
  UNION ALL SELECT format('trigger %s %s %s', tgname, tgrelid::regclass, tgenabled) FROM pg_trigger WHERE NOT tgisinternal
  UNION ALL SELECT format('policy %s', polname) FROM pg_policy
  UNION ALL SELECT format('function %s', oid::regprocedure) FROM pg_proc WHERE oid >= 16384 AND ${ofNoExtension}
  UNION ALL SELECT format('type %s %s', oid::regtype, typtype) FROM pg_type WHERE oid >= 16384
  UNION ALL SELECT format('event trigger %s %s', evtname, evtenabled) FROM pg_event_trigger
  UNION ALL SELECT format('server %s', srvname) FROM pg_foreign_server
  UNION ALL SELECT format('identity %s %s', oid::regclass, relreplident) FROM pg_class
   WHERE relkind IN ('r', 'p') AND oid >= 16384
  UNION ALL SELECT format('may %s %s', c.oid::regclass, ${withoutMaintain}) FROM pg_class c, unnest(relacl) a
   WHERE c.oid >= 16384
  ORDER BY 1`;

/** Where each sequence stands. */
async function sequences(server: PgHost): Promise<object> {
  const found: Record<string, unknown> = {};
  for (const name of Object.keys(zooSequences)) {
    const row = await server.sql(shop, `SELECT last_value, is_called FROM ${name}`);
    const [last, called] = row.split("|");
    found[name] = { last: Number(last), called: called === "t" };
  }
  return found;
}

async function catalogues(server: PgHost): Promise<object> {
  const objects = async (database: string) => (await server.sql(database, objectsSql)).split("\n");
  return {
    roles: (await server.sql("postgres", rolesSql)).split("\n"),
    settings: (await server.sql("postgres", settingsSql)).split("\n"),
    databases: (await server.sql("postgres", databasesSql)).split("\n"),
    shop: await objects(shop),
    street: await objects(street),
  };
}

async function moved(old: Major, young: Major): Promise<void> {
  story = await MoveStory.begin({ name: `pg-zoo-${old}-${young}`, old, new: young }, zoo);
  const { fleet } = story;
  fleet.new.knowRole(inspector, fleet.old.passwordOf(inspector));
  const before = {
    [shop]: await contents("old", shop),
    [street]: await contents("old", street),
    all: await catalogues(fleet.old),
  };
  const counted = zooTables(old).filter(({ name }) => !["written", "session_cache"].includes(name)).length;
  expect(Object.keys(before[shop]).length + Object.keys(before[street]).length).toBe(counted);
  await story.untilReady();
  expect(await story.writesOn(20)).toBe("old");
  await story.approve(8);
  expect(await story.writesOn(20)).toBe("new");
  await story.approve(0);
  const log = await story.prove("new");
  expect(log.longestPauseMs).toBeLessThan(noticedMs);
  for (const database of [shop, street] as const)
    expect(await contents("new", database)).toEqual(before[database]);
  expect(await sequences(fleet.new)).toEqual(zooSequences);
  expect(await catalogues(fleet.new)).toEqual(before.all);
  await notCarried(fleet.new);
  await fleet.old.takeBack();
  for (const server of [fleet.old, fleet.new]) expect(await leftOn(server)).toEqual([]);
}

async function notCarried(server: PgHost): Promise<void> {
  expect(await server.sql(shop, "SELECT count(*) FROM session_cache")).toBe("0");
  for (const database of [shop, street])
    expect(await server.sql(database, "SELECT count(*) FROM pg_largeobject")).toBe("0");
}

const pairs = [
  [15, 17],
  [15, 18],
  [17, 18],
] as const;

for (const [old, young] of pairs)
  await describeLongLab(
    `every kind of object, moved from PostgreSQL ${old} to ${young}`,
    () => {
      it(`${quoted(street)} and all, as they were`, () => moved(old, young), caseMs);
    },
    () => lackOf(young),
  );
