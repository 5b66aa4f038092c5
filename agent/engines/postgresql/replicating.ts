/** Publications on one side, subscriptions on the other: native logical replication, with names that tell whose they are. */
import { z } from "zod";
import { done } from "../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { databases, literal, quoted } from "../databases.ts";
import { rollout } from "../rollout-arg.ts";
import { addressOf, conninfoOf } from "./conninfo.ts";
import { ask, direction, ofDirection, ownerOf, probeOf, resultOf, subscriber } from "./desk.ts";
import { sslWords } from "./encryption.ts";
import { versionOf } from "./facts.ts";
import { type Direction, publicationName, roleName, subscriptionName } from "./names.ts";
import { passfileOf } from "./passfile.ts";
import type { Means } from "./settings.ts";
import { dropSlot, slotsIn, syncSlotsOf } from "./slots.ts";
import type { Sql } from "./sql.ts";

const subscribeArgs = z.strictObject({
  databases,
  direction,
  at: z.string().regex(/^[^\s'\\]{1,255}:\d{1,5}$/),
  /** Rows that are there already are copied first; `no`: the slot was made before, and waits. */
  copy: z.enum(["yes", "no"]),
  of: rollout.optional(),
});

type Given = z.infer<typeof ofDirection>;

export function replicationVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.publish",
      class: "reversible",
      args: ofDirection,
      run: (context, given) => resultOf(() => publish(context, means, given)),
      probe: (context, given) => probeOf(() => missing(context, means, given, publications)),
    }),
    verb({
      name: "postgresql.unpublish",
      class: "reversible",
      args: ofDirection,
      run: (context, given) => resultOf(() => unpublish(context, means, given)),
      probe: (context, given) => probeOf(() => present(context, means, given, publications)),
    }),
    verb({
      name: "postgresql.make-slots",
      class: "reversible",
      args: ofDirection,
      run: (context, given) => resultOf(() => makeSlots(context, means, given)),
      probe: (context, given) => probeOf(() => missing(context, means, given, slots)),
    }),
    verb({
      name: "postgresql.drop-slots",
      class: "reversible",
      args: ofDirection.extend({ subscriber }),
      run: (context, given) => resultOf(() => dropSlots(context, means, given)),
      probe: (context, given) =>
        probeOf(async () => [
          ...(await slotsIn(context, means, given)),
          ...(await syncSlotsOf(context, means, given.subscriber)),
        ]),
    }),
    verb({
      name: "postgresql.subscribe",
      class: "reversible",
      args: subscribeArgs,
      run: (context, given) => resultOf(() => subscribe(context, means, given)),
      probe: (context, given) => probeOf(() => missing(context, means, given, subscriptions)),
    }),
    verb({
      name: "postgresql.unsubscribe",
      class: "reversible",
      args: ofDirection,
      run: (context, given) => resultOf(() => unsubscribe(context, means, given)),
      probe: (context, given) => probeOf(() => present(context, means, given, subscriptions)),
    }),
    verb({
      name: "postgresql.pause-subscriptions",
      class: "reversible",
      args: ofDirection,
      run: (context, given) => resultOf(() => enable(context, means, given, false)),
      probe: (context, given) => probeOf(() => thatAre(context, means, given, "true")),
    }),
    verb({
      name: "postgresql.resume-subscriptions",
      class: "reversible",
      args: ofDirection,
      run: (context, given) => resultOf(() => enable(context, means, given, true)),
      probe: (context, given) => probeOf(() => thatAre(context, means, given, "false")),
    }),
  ];
}

interface Kind {
  readonly query: string;
  name(rollout: string, way: Direction, database: string): string;
}

const publications: Kind = { query: "SELECT pubname AS name FROM pg_publication", name: publicationName };
const subscriptions: Kind = {
  query:
    "SELECT subname AS name FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())",
  name: subscriptionName,
};
const slots: Kind = {
  query: "SELECT slot_name AS name FROM pg_replication_slots WHERE database = current_database()",
  name: subscriptionName,
};

async function has(sql: Sql, { query }: Kind, name: string): Promise<boolean> {
  return (await sql.rows(query)).some((row) => row["name"] === name);
}

async function split(context: StepContext, means: Means, given: Given, kind: Kind) {
  const found: { database: string; there: boolean }[] = [];
  for (const database of given.databases) {
    const name = kind.name(ownerOf(context, given), given.direction, database);
    found.push({
      database,
      there: (await isDatabase(context, means, database))
        ? await ask(context, means, (sql) => has(sql, kind, name), { database })
        : false,
    });
  }
  return found;
}

async function isDatabase(context: StepContext, means: Means, database: string): Promise<boolean> {
  const rows = await ask(context, means, (sql) =>
    sql.rows("SELECT FROM pg_database WHERE datname = $1", [database]),
  );
  return rows.length > 0;
}

async function missing(
  context: StepContext,
  means: Means,
  given: Given,
  kind: Kind,
): Promise<readonly string[]> {
  return (await split(context, means, given, kind)).flatMap(({ database, there }) =>
    there ? [] : [database],
  );
}

async function present(
  context: StepContext,
  means: Means,
  given: Given,
  kind: Kind,
): Promise<readonly string[]> {
  return (await split(context, means, given, kind)).flatMap(({ database, there }) =>
    there ? [database] : [],
  );
}

async function publish(context: StepContext, means: Means, given: Given): Promise<StepResult> {
  const name = quoted(publicationName(ownerOf(context, given), given.direction));
  for (const database of await missing(context, means, given, publications))
    await ask(context, means, (sql) => sql.run(`CREATE PUBLICATION ${name} FOR ALL TABLES`), { database });
  return done({ publication: name });
}

async function unpublish(context: StepContext, means: Means, given: Given): Promise<StepResult> {
  const name = quoted(publicationName(ownerOf(context, given), given.direction));
  for (const database of await present(context, means, given, publications))
    await ask(context, means, (sql) => sql.run(`DROP PUBLICATION IF EXISTS ${name}`), { database });
  return done();
}

async function makeSlots(context: StepContext, means: Means, given: Given): Promise<StepResult> {
  for (const database of await missing(context, means, given, slots)) {
    const name = subscriptionName(ownerOf(context, given), given.direction, database);
    await ask(
      context,
      means,
      (sql) => sql.rows("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", [name]),
      { database },
    );
  }
  return done();
}

/** A slot in use is let go by its walsender first. */
async function dropSlots(
  context: StepContext,
  means: Means,
  given: Given & { readonly subscriber?: string | undefined },
): Promise<StepResult> {
  for (const name of await slotsIn(context, means, given)) await dropSlot(context, means, name);
  // a copy that was cut short has left them: a subscription that is dropped from afar takes none along
  for (const name of await syncSlotsOf(context, means, given.subscriber))
    await dropSlot(context, means, name);
  return done();
}

/** The password stands in a file that only the server can read: what it connects with is readable in the catalogue. */
async function subscribe(
  context: StepContext,
  means: Means,
  given: z.infer<typeof subscribeArgs>,
): Promise<StepResult> {
  const owner = ownerOf(context, given);
  const role = roleName(owner, given.direction);
  for (const database of await missing(context, means, given, subscriptions)) {
    const name = subscriptionName(owner, given.direction, database);
    const conninfo = conninfoOf({
      ...addressOf(given.at),
      user: role,
      dbname: database,
      passfile: passfileOf(means, role),
      connect_timeout: "10",
      keepalives_idle: "30",
      ...sslWords(means.settings),
    });
    await ask(
      context,
      means,
      async (sql) => {
        const version = await versionOf(sql);
        const options = [
          `slot_name = ${quoted(name)}`,
          given.copy === "yes" ? "copy_data = true" : "copy_data = false, create_slot = false",
          // no disable_on_error: a lost connection is an error too, and nobody would enable it again
          // as the table's owner, row security would stop it
          ...(version >= 160_000 ? ["origin = none", "run_as_owner = true"] : []),
        ];
        const publication = quoted(publicationName(owner, given.direction));
        await sql.run(
          `CREATE SUBSCRIPTION ${quoted(name)} CONNECTION ${literal(conninfo)} PUBLICATION ${publication} WITH (${options.join(", ")})`,
        );
      },
      { database },
    );
  }
  return done({ databases: String(given.databases.length) });
}

/** Without the other side: its slot is dropped over there, by its own agent. */
async function unsubscribe(context: StepContext, means: Means, given: Given): Promise<StepResult> {
  for (const database of await present(context, means, given, subscriptions)) {
    const name = quoted(subscriptionName(ownerOf(context, given), given.direction, database));
    await ask(
      context,
      means,
      async (sql) => {
        await sql.run(`ALTER SUBSCRIPTION ${name} DISABLE`);
        await sql.run(`ALTER SUBSCRIPTION ${name} SET (slot_name = NONE)`);
        await sql.run(`DROP SUBSCRIPTION ${name}`);
      },
      { database },
    );
  }
  return done();
}

async function enable(context: StepContext, means: Means, given: Given, on: boolean): Promise<StepResult> {
  for (const database of await present(context, means, given, subscriptions)) {
    const name = quoted(subscriptionName(ownerOf(context, given), given.direction, database));
    await ask(context, means, (sql) => sql.run(`ALTER SUBSCRIPTION ${name} ${on ? "ENABLE" : "DISABLE"}`), {
      database,
    });
  }
  return done();
}

/** Subscriptions of these databases whose `subenabled` is so. */
async function thatAre(
  context: StepContext,
  means: Means,
  given: Given,
  enabled: "true" | "false",
): Promise<readonly string[]> {
  const names = given.databases.map((database) =>
    subscriptionName(ownerOf(context, given), given.direction, database),
  );
  const rows = await ask(context, means, (sql) =>
    sql.rows("SELECT subname AS name, subenabled::text AS enabled FROM pg_subscription"),
  );
  return rows.flatMap(({ name, enabled: is }) =>
    name && names.includes(name) && is === enabled ? [name] : [],
  );
}
