/** Sequences, exactly as they stand on the side that is left. */
import { done } from "../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { literal } from "../databases.ts";
import { sequencesOf } from "./content.ts";
import { contentOf, type Measured, otherSide } from "./contents-kept.ts";
import { ask, ofDatabases, probeOf, resultOf } from "./desk.ts";
import type { Means } from "./settings.ts";

export function sequenceVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.set-sequences",
      class: "reversible",
      args: ofDatabases,
      run: (context, given) => resultOf(() => setSequences(context, means, given.databases)),
      probe: (context, given) => probeOf(() => sequencesThatDiffer(context, means, given.databases)),
    }),
  ];
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

export async function sequencesUnlike(
  context: StepContext,
  means: Means,
  { names, other }: { readonly names: readonly string[]; readonly other: Measured },
): Promise<readonly string[]> {
  const differ: string[] = [];
  for (const database of names) {
    const here = await ask(context, means, sequencesOf, { database, readsRows: true });
    for (const wanted of contentOf(other, database).sequences) {
      const own = here.find(({ name }) => name === wanted.name);
      if (own === undefined || own.last !== wanted.last || own.isCalled !== wanted.isCalled)
        differ.push(`${database}: ${wanted.name}`);
    }
  }
  return differ;
}
