/** What the closed side holds, measured behind its fence and sent to the other; and the other's answer to it. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { FailureError } from "#proto/common/failure.ts";
import { makeFolderDurably, writeFileDurably } from "../../host/file-runner.ts";
import { markFolder } from "../../host/marks.ts";
import { done } from "../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { databases, literal } from "../databases.ts";
import { countRows, hashRows, sequencesOf, tablesBySize } from "./content.ts";
import { ask, must, ofDatabases, probeOf, resultOf, stop } from "./desk.ts";
import type { Means } from "./settings.ts";
import type { Sql } from "./sql.ts";

const measured = z.object({
  format: z.literal(1),
  databases: z.record(
    z.string(),
    z.object({
      counts: z.record(z.string(), z.string()),
      /** Of those that the time allowed for, smallest first. */
      hashes: z.record(z.string(), z.string()),
      sequences: z.array(z.object({ name: z.string(), last: z.string(), isCalled: z.string() })),
    }),
  ),
});
type Measured = z.infer<typeof measured>;
type Content = Measured["databases"][string];

const measureArgs = z.strictObject({
  databases,
  withinMs: z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number),
});

/** Connections at once: behind the fence nobody else has work for the server. */
const atOnce = 4;
/** Of the step's time, kept for what follows the last statement. */
const restMs = 1_000;

export function measuringVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.measure",
      class: "observe",
      args: measureArgs,
      run: (context, given) => resultOf(() => measure(context, means, given)),
    }),
    verb({
      name: "postgresql.set-sequences",
      class: "reversible",
      args: ofDatabases,
      run: (context, given) => resultOf(() => setSequences(context, means, given.databases)),
      probe: (context, given) => probeOf(() => sequencesThatDiffer(context, means, given.databases)),
    }),
    verb({
      name: "postgresql.compare",
      class: "observe",
      args: ofDatabases,
      run: (context, given) => resultOf(() => compare(context, means, given.databases)),
    }),
  ];
}

async function measure(
  context: StepContext,
  means: Means,
  given: z.infer<typeof measureArgs>,
): Promise<StepResult> {
  const { file, told } = await keepContents(context, means, given);
  must(await context.parcels.send("measured", file));
  return done(told);
}

function fileOf(context: StepContext): string {
  return join(markFolder(context), "measured.json");
}

/** Counts, contents as far as the time allows, and sequences, in a file of the rollout's own. */
export async function keepContents(
  context: StepContext,
  means: Means,
  { databases: names, withinMs }: z.infer<typeof measureArgs>,
): Promise<{ readonly file: string; readonly told: Readonly<Record<string, string>> }> {
  const { clock } = context.host;
  const budget: Budget = { leftMs: withinMs, nowMs: () => clock.monotonicMs() };
  const contentOf = async (sql: Sql): Promise<Content> => {
    const tables = (await tablesBySize(sql)).map(({ table }) => table);
    const [counts, sequences] = [await countRows(sql, tables), await sequencesOf(sql)];
    const hashes = await hashWithin(sql, tables, budget);
    return { counts, hashes, sequences: [...sequences] };
  };
  const found = await ofEach(context, means, names, contentOf);
  const file = fileOf(context);
  await makeFolderDurably(markFolder(context));
  await writeFileDurably(file, JSON.stringify({ format: 1, databases: found } satisfies Measured));
  const all = Object.values(found);
  const told = {
    tables: String(all.reduce((sum, { counts }) => sum + Object.keys(counts).length, 0)),
    compared: String(all.reduce((sum, { hashes }) => sum + Object.keys(hashes).length, 0)),
  };
  return { file, told };
}

/** What this very agent has kept. */
export async function keptContents(context: StepContext): Promise<Measured> {
  const text = await readFile(fileOf(context), "utf8").catch(() =>
    stop("postgresql.parcel-missing", { what: "measured" }),
  );
  return measured.parse(JSON.parse(text));
}

/** For the contents of all databases together. */
interface Budget {
  leftMs: number;
  readonly nowMs: () => number;
}

/** As many as the time allows; the one that is cut short is not among them, and no larger one is begun. */
async function hashWithin(
  sql: Sql,
  tables: readonly string[],
  budget: Budget,
): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const table of tables) {
    const [mostMs, beganAtMs] = [Math.floor(budget.leftMs), budget.nowMs()];
    if (mostMs < 1) break;
    await sql.run(`SET statement_timeout = ${mostMs}`);
    try {
      hashes[table] = await hashRows(sql, table);
    } catch (error) {
      if (isCut(error)) break;
      throw error;
    } finally {
      budget.leftMs -= budget.nowMs() - beganAtMs;
    }
  }
  return hashes;
}

/** Some databases at once, within the step's own time: the fence outlasts no count that goes on for ever. */
async function ofEach<T>(
  context: StepContext,
  means: Means,
  names: readonly string[],
  work: (sql: Sql) => Promise<T>,
): Promise<Record<string, T>> {
  const { clock } = context.host;
  const endMs = clock.monotonicMs() + context.deadlineMs - restMs;
  const found: Record<string, T> = {};
  for (let at = 0; at < names.length; at += atOnce) {
    const some = names.slice(at, at + atOnce).map(async (database) => {
      const statementMs = Math.max(1, Math.floor(endMs - clock.monotonicMs()));
      const cut = (error: unknown) => {
        if (!isCut(error)) throw error;
        return stop("postgresql.counting-too-long", { database, withinMs: String(context.deadlineMs) });
      };
      found[database] = await ask(context, means, work, { database, statementMs }).catch(cut);
    });
    await Promise.all(some);
  }
  return found;
}

/** The server has ended a statement whose time was up. */
function isCut(error: unknown): boolean {
  return error instanceof FailureError && error.failure.facts["sqlstate"] === "57014";
}

async function otherSide(context: StepContext): Promise<Measured> {
  const sent = must(await context.parcels.find("measured"));
  if (sent === undefined) return stop("postgresql.parcel-missing", { what: "measured" });
  return measured.parse(JSON.parse(await readFile(must(await context.parcels.fetch(sent.digest)), "utf8")));
}

function contentOf({ databases: all }: Measured, database: string): Content {
  return all[database] ?? stop("postgresql.parcel-missing", { what: `measured of ${database}` });
}

async function setSequences(
  context: StepContext,
  means: Means,
  names: readonly string[],
): Promise<StepResult> {
  const other = await otherSide(context);
  let count = 0;
  for (const database of names) {
    const { sequences } = contentOf(other, database);
    if (sequences.length === 0) continue;
    const words = sequences.map(
      ({ name, last, isCalled }) =>
        `SELECT pg_catalog.setval(${literal(name)}::regclass, ${BigInt(last)}, ${isCalled === "true"})`,
    );
    await ask(context, means, (sql) => sql.run(`BEGIN; ${words.join("; ")}; COMMIT`), { database });
    count += sequences.length;
  }
  return done({ sequences: String(count) });
}

async function sequencesThatDiffer(
  context: StepContext,
  means: Means,
  names: readonly string[],
): Promise<readonly string[]> {
  return sequencesUnlike(context, means, { names, other: await otherSide(context) });
}

async function sequencesUnlike(
  context: StepContext,
  means: Means,
  { names, other }: { readonly names: readonly string[]; readonly other: Measured },
): Promise<readonly string[]> {
  const differ: string[] = [];
  for (const database of names) {
    const here = await ask(context, means, sequencesOf, { database });
    for (const wanted of contentOf(other, database).sequences) {
      const own = here.find(({ name }) => name === wanted.name);
      if (own === undefined || own.last !== wanted.last || own.isCalled !== wanted.isCalled)
        differ.push(`${database}: ${wanted.name}`);
    }
  }
  return differ;
}

async function compare(context: StepContext, means: Means, names: readonly string[]): Promise<StepResult> {
  return compareWith(context, means, { names, other: await otherSide(context) });
}

/** Every table's rows are counted; contents as far as the other side came. The first difference ends it. */
export async function compareWith(
  context: StepContext,
  means: Means,
  { names, other }: { readonly names: readonly string[]; readonly other: Measured },
): Promise<StepResult> {
  const found = await ofEach(context, means, names, (sql) =>
    differencesFrom(contentOf(other, sql.database), sql),
  );
  const told: Record<string, string> = {};
  for (const database of names) {
    const differences = found[database] ?? [];
    if (differences.length > 0)
      stop("postgresql.data-differs", { database, found: differences.slice(0, 10).join("; ") });
    told[`told.comparison of ${database}`] = comparedBy(contentOf(other, database));
  }
  const sequences = await sequencesUnlike(context, means, { names, other });
  if (sequences.length > 0) stop("postgresql.sequences-differ", { found: sequences.slice(0, 10).join("; ") });
  return done(told);
}

async function differencesFrom(wanted: Content, sql: Sql): Promise<readonly string[]> {
  const here = (await tablesBySize(sql)).map(({ table }) => table);
  const tables = Object.keys(wanted.counts);
  const missing = tables.filter((table) => !here.includes(table));
  if (missing.length > 0) return missing.map((table) => `${table} is not there`);
  const counts = await countRows(sql, tables);
  const wrong = tables.filter((table) => counts[table] !== wanted.counts[table]);
  if (wrong.length > 0)
    return wrong.map((table) => `${table}: ${wanted.counts[table]} rows there, ${counts[table]} here`);
  const unlike: string[] = [];
  for (const [table, hash] of Object.entries(wanted.hashes))
    if ((await hashRows(sql, table)) !== hash) unlike.push(`${table}: as many rows, other content`);
  return unlike;
}

/** As a person reads it at the end; what was counted alone stands first, since its content was not looked at. */
function comparedBy({ counts, hashes }: Content): string {
  const names = Object.keys(counts);
  const said = (words: string, tables: readonly string[]) =>
    tables.length === 0 ? [] : [`${words}: ${tables.join(", ")}`];
  const parts = [
    ...said(
      "equal by number of rows only",
      names.filter((table) => hashes[table] === undefined),
    ),
    ...said(
      "equal by number of rows and content",
      names.filter((table) => hashes[table] !== undefined),
    ),
  ];
  return parts.length === 0 ? "it has no tables" : parts.join("; ").slice(0, 2_000);
}
