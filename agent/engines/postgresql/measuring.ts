/** What the closed side holds, measured behind its fence and sent to the other. */
import { z } from "zod";
import { done } from "../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { databases } from "../databases.ts";
import { alteredTables } from "./altered.ts";
import { countRows, hashRows, sequencesOf, tablesBySize } from "./content.ts";
import { type Content, keep } from "./contents-kept.ts";
import { must, resultOf } from "./desk.ts";
import { isCut, ofEach } from "./each-database.ts";
import { lateTables } from "./mending/noted.ts";
import type { Means } from "./settings.ts";
import type { Sql } from "./sql.ts";

const measureArgs = z.strictObject({
  databases,
  withinMs: z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number),
});

export function measuringVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.measure",
      class: "observe",
      args: measureArgs,
      run: (context, given) => resultOf(() => measure(context, means, given)),
    }),
    verb({
      name: "postgresql.count-rows",
      class: "observe",
      args: z.strictObject({ databases }),
      run: (context, given) => resultOf(() => countAll(context, means, given.databases)),
    }),
  ];
}

/** As `measure` counts them, and within the step's own time. */
async function countAll(context: StepContext, means: Means, names: readonly string[]): Promise<StepResult> {
  const beganMs = context.host.clock.monotonicMs();
  const found = await ofEach(context, means, names, async (sql) =>
    countRows(
      sql,
      (await tablesBySize(sql)).map(({ table }) => table),
    ),
  );
  const tables = Object.values(found).reduce((sum, counts) => sum + Object.keys(counts).length, 0);
  const tookMs = Math.round(context.host.clock.monotonicMs() - beganMs);
  return done({ tables: String(tables), tookMs: String(tookMs) });
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

/** Counts, contents as far as the time allows, and sequences, in a file of the rollout's own. */
export async function keepContents(
  context: StepContext,
  means: Means,
  { databases: names, withinMs }: z.infer<typeof measureArgs>,
): Promise<{ readonly file: string; readonly told: Readonly<Record<string, string>> }> {
  const { clock } = context.host;
  const budget: Budget = { leftMs: withinMs, nowMs: () => clock.monotonicMs() };
  const contentOf = async (sql: Sql): Promise<Content> => {
    const bySize = (await tablesBySize(sql)).map(({ table }) => table);
    // nobody has compared those since: before any that was equal when both sides were last looked at
    const late = [...(await lateTables(context, sql.database)), ...(await alteredTables(context, sql))];
    const tables = [
      ...bySize.filter((each) => late.includes(each)),
      ...bySize.filter((each) => !late.includes(each)),
    ];
    const [counts, sequences] = [await countRows(sql, tables), await sequencesOf(sql)];
    const hashes = await hashWithin(sql, tables, budget);
    return { counts, hashes, sequences: [...sequences] };
  };
  const found = await ofEach(context, means, names, contentOf);
  const file = await keep(context, found);
  const all = Object.values(found);
  const told = {
    tables: String(all.reduce((sum, { counts }) => sum + Object.keys(counts).length, 0)),
    compared: String(all.reduce((sum, { hashes }) => sum + Object.keys(hashes).length, 0)),
  };
  return { file, told };
}

/** For the contents of all databases together. */
interface Budget {
  leftMs: number;
  readonly nowMs: () => number;
}

/** In this order, as many as the time allows; the one that is cut short is not among them, and no later one is begun. */
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
