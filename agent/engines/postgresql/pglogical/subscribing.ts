/**
 * Subscriptions of pglogical, a database each. The rows of the first copy are written by the server itself; changes that came from
 * elsewhere are never passed on, so that two directions make no circle. One that copies nothing reads a slot that was made before.
 */
import type { z } from "zod";
import { done } from "../../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../../verb.ts";
import { addressOf, conninfoOf } from "../conninfo.ts";
import { ask, ofDirection, ofSubscription, ownerOf, probeOf, resultOf } from "../desk.ts";
import { sslWords } from "../encryption.ts";
import { publicationName, roleName, subscriptionName } from "../names.ts";
import { passfileOf } from "../passfile.ts";
import type { Means } from "../settings.ts";
import type { Sql } from "../sql.ts";
import { databasesThere, parted } from "./databases.ts";
import { isStream, pause, resume, type Standing, standingOf, until } from "./streams.ts";

type SubscribeArgs = z.infer<typeof ofSubscription>;
type Given = z.infer<typeof ofDirection>;

/** Its end drops the slot over there, and waits for a server that is away as long as a connection may take. */
const awayMs = 120_000;

export function subscriptionVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.pglogical-subscribe",
      class: "reversible",
      args: ofSubscription,
      run: (context, given) => resultOf(() => subscribe(context, means, given)),
      probe: (context, given) => probeOf(async () => (await subscriptionsIn(context, means, given)).missing),
    }),
    verb({
      name: "postgresql.pglogical-unsubscribe",
      class: "reversible",
      args: ofDirection,
      run: (context, given) => resultOf(() => unsubscribe(context, means, given)),
      probe: (context, given) => probeOf(async () => (await subscriptionsIn(context, means, given)).present),
    }),
    verb({
      name: "postgresql.pglogical-pause-subscriptions",
      class: "reversible",
      args: ofDirection,
      run: (context, given) =>
        resultOf(async () => {
          for (const database of (await subscriptionsIn(context, means, given)).present)
            await ask(context, means, (sql) => pause(context, sql, nameOf(context, given, database)), {
              database,
            });
          return done();
        }),
      probe: (context, given) =>
        probeOf(() => thatAreNot(context, means, given, ({ status }) => status === "disabled")),
    }),
    verb({
      name: "postgresql.pglogical-resume-subscriptions",
      class: "reversible",
      args: ofDirection,
      run: (context, given) =>
        resultOf(async () => {
          for (const database of (await subscriptionsIn(context, means, given)).present)
            await ask(context, means, (sql) => resume(sql, nameOf(context, given, database)), { database });
          return done();
        }),
      probe: (context, given) =>
        probeOf(() => thatAreNot(context, means, given, ({ isEnabled }) => isEnabled)),
    }),
  ];
}

function nameOf(context: StepContext, given: Given, database: string): string {
  return subscriptionName(ownerOf(context, given), given.direction, database);
}

function subscriptionsIn(context: StepContext, means: Means, given: Given) {
  const names = Object.fromEntries(
    given.databases.map((database) => [database, nameOf(context, given, database)]),
  );
  return parted(context, means, { kind: "subscription", names });
}

/** Databases whose subscription is missing or is not so. */
async function thatAreNot(
  context: StepContext,
  means: Means,
  given: Given,
  is: (standing: Standing) => boolean,
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const database of given.databases) {
    const name = nameOf(context, given, database);
    const standing = await ask(context, means, (sql) => standingOf(sql, name), { database });
    if (standing === undefined || !is(standing)) found.push(name);
  }
  return found;
}

async function subscribe(context: StepContext, means: Means, given: SubscribeArgs): Promise<StepResult> {
  const owner = ownerOf(context, given);
  const role = roleName(owner, given.direction);
  for (const database of given.databases) {
    const name = nameOf(context, given, database);
    const dsn = conninfoOf({
      ...addressOf(given.at),
      user: role,
      dbname: database,
      passfile: passfileOf(means, role),
      connect_timeout: "10",
      ...sslWords(means.settings),
      // what a value looks like must not depend on that server's own settings
      options: "-c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=3",
    });
    const set = publicationName(owner, given.direction);
    const making = given.copy === "yes" ? copying : following;
    await ask(
      context,
      means,
      async (sql) => {
        if (!(await isStream(sql, name))) await making(sql, [name, dsn, set]);
        // its worker makes the slot: before that nobody can be told that changes are kept
        await until(context, sql, { name, is: ({ copied }) => copied !== "i" });
      },
      { database, statementMs: awayMs },
    );
  }
  return done({ databases: String(given.databases.length) });
}

type Words = readonly [name: string, dsn: string, set: string];

const create = (copies: boolean) => `
  SELECT pglogical.create_subscription(subscription_name := $1, provider_dsn := $2, replication_sets := ARRAY[$3],
    synchronize_structure := false, synchronize_data := ${copies}, forward_origins := '{}')`;

async function copying(sql: Sql, words: Words): Promise<void> {
  await sql.rows(create(true), words);
}

/**
 * As pglogical's own pglogical_create_subscriber does it for a server that has the rows already: it is said to be ready, with an origin
 * that knows nothing yet, before its worker can begin. The worker's way of making a slot is not open to every pair of versions: that
 * of 2.4.2 is refused by a 17, whose pg_create_logical_replication_slot it takes for another product's.
 */
async function following(sql: Sql, words: Words): Promise<void> {
  await sql.run("BEGIN");
  await sql.rows(create(false), words);
  await sql.rows(
    `UPDATE pglogical.local_sync_status SET sync_status = 'r'
      WHERE sync_subid = (SELECT sub_id FROM pglogical.subscription WHERE sub_name = $1)`,
    [words[0]],
  );
  await sql.rows(
    "SELECT pg_replication_origin_create(sub_slot_name::text) FROM pglogical.subscription WHERE sub_name = $1",
    [words[0]],
  );
  await sql.run("COMMIT");
}

async function unsubscribe(context: StepContext, means: Means, given: Given): Promise<StepResult> {
  const there = await databasesThere(context, means, given.databases);
  for (const database of (await subscriptionsIn(context, means, { ...given, databases: [...there] })).present)
    await ask(
      context,
      means,
      async (sql) => {
        await sql.rows("SELECT pglogical.drop_subscription($1, true)", [nameOf(context, given, database)]);
      },
      { database, statementMs: awayMs },
    );
  return done();
}
