/** Rows of the old cluster before and after, against those of the new one: the only word for "it is all there". */
import { z } from "zod";
import { type Failure, fail, failure, type Outcome, succeed } from "#proto/common/failure.ts";
import { markOf, readMark } from "../../../host/marks.ts";
import { done, failedBy } from "../../../outcome.ts";
import { type StepResult, type Verb, verb } from "../../../verb.ts";
import { databases } from "../../databases.ts";
import { milliseconds } from "../args.ts";
import type { Means } from "../installation.ts";
import { type Counts, countRows, countsSchema, totalOf } from "./counting.ts";
import { type Desk, withDesk } from "./desk.ts";
import { fenceOf } from "./fence.ts";

const when = z.enum(["before", "after"]);
const writes = z.enum(["refused", "counted"]);

export function comparingVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "kwdb.count-rows",
      class: "observe",
      args: z.strictObject({ databases, when, waitMs: milliseconds }),
      run: (context, args) => withDesk(context, means, (desk) => count(desk, args)),
    }),
    verb({
      name: "kwdb.compare-rows",
      class: "observe",
      args: z.strictObject({ databases, writes, waitMs: milliseconds }),
      run: (context, args) => withDesk(context, means, (desk) => compare(desk, args)),
    }),
  ];
}

interface Counting {
  readonly databases: readonly string[];
  readonly waitMs: number;
}

const countedBehind = z.object({ fence: z.number() });

/** Before stays what the first try behind this fence has counted: an export may have been made since. */
async function count(
  desk: Desk,
  args: Counting & { readonly when: "before" | "after" },
): Promise<StepResult> {
  const { context } = desk;
  const mark = markOf(context, `counts-${args.when}`, countsSchema);
  const behind = markOf(context, `counts-${args.when}-behind`, countedBehind);
  const fence = await fenceOf(context);
  const isKnown = args.when === "before" && (await behind.read())?.fence === fence;
  const known = isKnown ? await mark.read() : undefined;
  const counted = known === undefined ? await countRows(desk, args.databases, args.waitMs) : succeed(known);
  if (!counted.ok) return failedBy(counted.failure);
  if (known === undefined) {
    await mark.write(counted.value);
    await behind.write({ fence });
  }
  const sent = await context.parcels.send(`counts/${args.when}`, mark.file);
  return sent.ok ? done(told(counted.value)) : failedBy(sent.failure);
}

async function compare(
  desk: Desk,
  args: Counting & { readonly writes: "refused" | "counted" },
): Promise<StepResult> {
  const before = await countsSent(desk, "before");
  if (!before.ok) return failedBy(before.failure);
  const after = await countsSent(desk, "after");
  if (!after.ok) return failedBy(after.failure);
  const here = await countRows(desk, args.databases, args.waitMs);
  if (!here.ok) return failedBy(here.failure);
  const counts = { before: before.value, after: after.value, here: here.value };
  const why = args.writes === "refused" ? whyNotEqual(counts) : whyNotBetween(counts);
  if (why !== undefined) return failedBy(why);
  return done({ ...told(here.value), ...(args.writes === "counted" ? lateRows(counts) : {}) });
}

async function countsSent({ context }: Desk, name: "before" | "after"): Promise<Outcome<Counts>> {
  const found = await context.parcels.find(`counts/${name}`);
  if (!found.ok) return found;
  if (found.value === undefined) return fail("kwdb.counts-missing", { when: name });
  const path = await context.parcels.fetch(found.value.digest);
  if (!path.ok) return path;
  const counts = await readMark(path.value, countsSchema);
  return counts === undefined ? fail("kwdb.counts-missing", { when: name }) : succeed(counts);
}

export interface ThreeCounts {
  readonly before: Counts;
  readonly after: Counts;
  readonly here: Counts;
}

interface Cell {
  readonly table: string;
  /** `rows`, or a column whose values that are not NULL are counted. */
  readonly of: string;
  readonly count: number;
}

function cellsOf(counts: Counts): ReadonlyMap<string, Cell> {
  const cells = Object.entries(counts).flatMap(([database, tables]) =>
    Object.entries(tables).flatMap(([name, { rows, filled }]) => {
      const table = `${database}.${name}`;
      return [
        { table, of: "rows", count: rows },
        ...Object.entries(filled).map(([of, n]) => ({ table, of: `values of ${of}`, count: n })),
      ];
    }),
  );
  return new Map(cells.map((cell) => [`${cell.table} ${cell.of}`, cell]));
}

/** Writes were refused: all three are one and the same. */
export function whyNotEqual({ before, after, here }: ThreeCounts): Failure | undefined {
  const [old, late, young] = [cellsOf(before), cellsOf(after), cellsOf(here)];
  for (const [key, { table, of }] of new Map([...old, ...late, ...young])) {
    const [first, last, now] = [old, late, young].map((cells) => cells.get(key)?.count);
    const facts = { table, of, before: say(first), after: say(last), here: say(now) };
    if (first !== last) return failure("kwdb.rows-came-after", facts);
    if (last !== now) return failure("kwdb.rows-differ", facts);
  }
  return undefined;
}

/** Writes went on: what was exported is of some moment between the two. */
export function whyNotBetween({ before, after, here }: ThreeCounts): Failure | undefined {
  const [old, late, young] = [cellsOf(before), cellsOf(after), cellsOf(here)];
  for (const [key, { table, of }] of new Map([...old, ...young])) {
    const [first, last, now] = [old, late, young].map((cells) => cells.get(key)?.count);
    const ends = [first ?? 0, last ?? 0];
    if (now !== undefined && now >= Math.min(...ends) && now <= Math.max(...ends)) continue;
    // made and dropped again while the move was on
    if (now === undefined && first === undefined) continue;
    return failure("kwdb.rows-differ", { table, of, before: say(first), after: say(last), here: say(now) });
  }
  return undefined;
}

/** By table: what the old cluster has that the new one has not. */
function lateRows({ after, here }: ThreeCounts): Readonly<Record<string, string>> {
  const [late, young] = [cellsOf(after), cellsOf(here)];
  const rows = [...late.values()]
    .filter(({ of }) => of === "rows")
    .map(({ table, count: n }) => ({ table, late: n - (young.get(`${table} rows`)?.count ?? 0) }))
    .filter((each) => each.late !== 0);
  const total = rows.reduce((sum, each) => sum + each.late, 0);
  const words = rows.map((each) => `${each.table} ${each.late}`).join(", ");
  return total === 0 && rows.length === 0
    ? { late: "0" }
    : {
        late: String(total),
        "told.late-rows": `${total} rows came after the export and are not carried: ${words}`.slice(0, 2_000),
      };
}

function say(count: number | undefined): string {
  return count === undefined ? "none" : String(count);
}

function told(counts: Counts) {
  const { tables, rows } = totalOf(counts);
  return { tables: String(tables), rows: String(rows) };
}
