/** What is published on the side that is read from, and the slots that keep its WAL for the other one. */

import { done } from "../../outcome.ts";
import type { StepContext, StepResult, Verb } from "../../verb.ts";
import { verb } from "../../verb.ts";
import { quoted } from "../databases.ts";
import { ask, ofDirection, ownerOf, probeOf, resultOf, subscriber } from "./desk.ts";
import { publicationName, subscriptionName } from "./names.ts";
import { type Given, missing, present, publications, slots } from "./own-objects.ts";
import type { Means } from "./settings.ts";
import { dropSlot, slotsIn, syncSlotsOf } from "./slots.ts";

export function publishingVerbs(means: Means): readonly Verb[] {
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
  ];
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
