/** Native subscriptions on the side that is written to, with names that tell whose they are. */
import type { z } from "zod";
import { done } from "../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { literal, quoted } from "../databases.ts";
import { addressOf, conninfoOf } from "./conninfo.ts";
import { ask, ofDirection, ofSubscription, ownerOf, probeOf, resultOf } from "./desk.ts";
import { sslWords } from "./encryption.ts";
import { publicationName, roleName, subscriptionName } from "./names.ts";
import { type Given, missing, present, subscriptions } from "./own-objects.ts";
import { passfileOf } from "./passfile.ts";
import type { Means } from "./settings.ts";
import { type Sql, versionOf } from "./sql.ts";

export function subscribingVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.subscribe",
      class: "reversible",
      args: ofSubscription,
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

/** The password stands in a file that only the server can read: what it connects with is readable in the catalogue. */
async function subscribe(
  context: StepContext,
  means: Means,
  given: z.infer<typeof ofSubscription>,
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
          ...(version >= 160_000 ? ["run_as_owner = true"] : []),
          // with a copy, the server would ask the other one for what 10 and 11 do not have; nothing has come back then yet
          ...(version >= 160_000 && given.copy === "no" ? ["origin = none"] : []),
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
    const name = subscriptionName(ownerOf(context, given), given.direction, database);
    const alter = async (sql: Sql) => {
      await sql.run(`ALTER SUBSCRIPTION ${quoted(name)} ${on ? "ENABLE" : "DISABLE"}`);
      // below 16 nobody wakes it, and its slot is in use for up to a second more
      if (!on && (await versionOf(sql)) < 160_000) await sql.rows(endWorkers, [name]);
    };
    await ask(context, means, alter, { database });
  }
  return done();
}

const endWorkers =
  "SELECT pg_terminate_backend(pid) FROM pg_stat_subscription WHERE subname = $1 AND pid IS NOT NULL";

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
