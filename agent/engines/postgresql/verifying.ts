/** Contents of both sides compared before any fence: of one moment, and read for as long as it takes. */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { done } from "../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { databases } from "../databases.ts";
import { noteForms } from "./altered.ts";
import { hashRows, tablesBySize } from "./content.ts";
import { ask, must, resultOf, stop } from "./desk.ts";
import { isCut } from "./each-database.ts";
import { meetMs, nameOf, tell } from "./meeting.ts";
import { heardOrOver, seeStill } from "./seeing-still.ts";
import type { Means } from "./settings.ts";
import type { Sql } from "./sql.ts";
import { standStill } from "./standing-still.ts";

export const contentsArgs = z.strictObject({
  databases,
  /** How long contents are read on each side, in all. */
  withinMs: z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number),
});
type Args = z.infer<typeof contentsArgs>;

const hour = 3_600_000;
/** Of a statement that is worth beginning. */
const leastMs = 10;

const hashesSchema = z.object({ format: z.literal(1), hashes: z.record(z.string(), z.string()) });

export function verifyingVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.show-contents",
      class: "observe",
      args: contentsArgs,
      run: (context, given) => resultOf(() => showAll(context, means, given)),
    }),
    verb({
      name: "postgresql.verify-contents",
      class: "observe",
      args: contentsArgs,
      run: (context, given) => resultOf(() => verifyAll(context, means, given)),
    }),
  ];
}

/** Whatever becomes of it, the other side is told: it would wait for as long as this step may take. */
export async function showAll(context: StepContext, means: Means, given: Args): Promise<StepResult> {
  const endMs = context.host.clock.monotonicMs() + given.withinMs;
  try {
    for (const database of given.databases) await show(context, means, { database, endMs });
    return done();
  } finally {
    for (const database of given.databases)
      await tell(context, nameOf(context, "over", database), "").catch(() => undefined);
  }
}

async function show(
  context: StepContext,
  means: Means,
  { database, endMs }: { readonly database: string; readonly endMs: number },
): Promise<void> {
  const read = { database, statementMs: hour, readsRows: true };
  const work = async (sql: Sql) => {
    const moment = await standStill(context, means, { database, reader: sql });
    await noteForms(context, sql);
    const hashes = await hashesUntil(context, sql, endMs);
    await tell(context, nameOf(context, "hashes", database, moment), JSON.stringify({ format: 1, hashes }));
  };
  await ask(context, means, work, read);
}

/**
 * Smallest first, as far as the time goes; the one that is cut short is not among them, and no larger one is begun. Ends the
 * snapshot that it reads.
 */
async function hashesUntil(
  context: StepContext,
  sql: Sql,
  endMs: number,
): Promise<Readonly<Record<string, string>>> {
  const { clock } = context.host;
  const hashes: Record<string, string> = {};
  await sql.run(`SET LOCAL statement_timeout = ${hour}`);
  for (const { table } of await tablesBySize(sql)) {
    const leftMs = Math.floor(endMs - clock.monotonicMs());
    if (leftMs < leastMs) break;
    await sql.run(`SET LOCAL statement_timeout = ${leftMs}`);
    try {
      hashes[table] = await hashRows(sql, table);
    } catch (error) {
      if (isCut(error)) break;
      throw error;
    }
  }
  await sql.run("ROLLBACK");
  return hashes;
}

async function verifyAll(context: StepContext, means: Means, given: Args): Promise<StepResult> {
  const { compared, left } = await compareAll(context, means, given);
  const some = left.slice(0, 50).join(", ");
  return done({
    "told.contents": `${compared} tables by content, under writes${left.length === 0 ? "" : `; not within the time: ${some}`}`,
  });
}

/** `left`: tables that were not compared within the time. Throws FailureError `postgresql.data-differs`. */
export async function compareAll(
  context: StepContext,
  means: Means,
  given: Args,
): Promise<{ readonly compared: number; readonly left: readonly string[] }> {
  const left: string[] = [];
  let compared = 0;
  for (const database of given.databases) {
    const found = await ask(
      context,
      means,
      (sql) => verify(context, sql, { database, withinMs: given.withinMs }),
      {
        database,
        statementMs: hour,
        readsRows: true,
      },
    );
    compared += found.compared;
    left.push(...found.left.map((table) => `${database}: ${table}`));
  }
  return { compared, left };
}

async function verify(
  context: StepContext,
  sql: Sql,
  { database, withinMs }: { readonly database: string; readonly withinMs: number },
): Promise<{ readonly compared: number; readonly left: readonly string[] }> {
  const moment = await seeStill(context, sql, database);
  const tables = (await tablesBySize(sql)).map(({ table }) => table);
  const here = await hashesUntil(context, sql, context.host.clock.monotonicMs() + withinMs);
  const name = nameOf(context, "hashes", database, moment);
  if (!(await heardOrOver(context, { name, database, limitMs: withinMs + meetMs })))
    stop("postgresql.parcel-missing", { what: `contents of ${database}` });
  const sent = must(await context.parcels.find(name));
  const path = must(await context.parcels.fetch(sent?.digest ?? ""));
  const there = hashesSchema.parse(JSON.parse(await readFile(path, "utf8"))).hashes;
  const both = Object.keys(there).filter((table) => here[table] !== undefined);
  const unlike = both.filter((table) => here[table] !== there[table]);
  if (unlike.length > 0)
    stop("postgresql.data-differs", {
      database,
      found: unlike
        .slice(0, 10)
        .map((table) => `${table}: other content`)
        .join("; "),
    });
  return { compared: both.length, left: tables.filter((table) => !both.includes(table)) };
}
