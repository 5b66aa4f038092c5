/**
 * What replication does not carry, large objects and rows of unlogged tables: which of it a move takes along behind its fence, since it
 * is little enough, and which a person answers for.
 */
import type { PgDatabase } from "#proto/engines/postgresql.ts";
import { type UnreplicatedKind, unreplicatedKinds } from "#proto/engines/postgresql-unreplicated.ts";
import type { CheckResult } from "../../domain/check.ts";
import { byDatabase } from "./pair.ts";
import { result } from "./result.ts";

export interface Carried {
  readonly kinds: readonly UnreplicatedKind[];
  /** Of all of them together, in all databases. */
  readonly limitBytes: number;
}

/** Of all databases; undefined where one of them does not tell it. */
type Weights = Readonly<Record<UnreplicatedKind, number | undefined>>;

function weightsOf(databases: readonly PgDatabase[]): Weights {
  return {
    "large-objects": summed(databases, ({ largeObjects, largeObjectBytes }) =>
      largeObjects === 0 ? 0 : largeObjectBytes,
    ),
    unlogged: summed(databases, ({ unlogged, unloggedBytes }) => (unlogged.length === 0 ? 0 : unloggedBytes)),
  };
}

function summed(
  databases: readonly PgDatabase[],
  of: (database: PgDatabase) => number | undefined,
): number | undefined {
  const all = databases.map(of);
  return all.every((each) => each !== undefined) ? all.reduce((sum, each) => sum + each, 0) : undefined;
}

export function carriedWithin(
  databases: readonly PgDatabase[],
  limitBytes: number,
  among: readonly UnreplicatedKind[] = unreplicatedKinds,
): Carried {
  return { kinds: kindsWithin(weightsOf(databases), limitBytes, among), limitBytes };
}

/** In their order, as far as the limit goes: what is in unlogged tables has been made to be lost. */
function kindsWithin(
  weights: Weights,
  limitBytes: number,
  among: readonly UnreplicatedKind[],
): readonly UnreplicatedKind[] {
  let leftBytes = limitBytes;
  return unreplicatedKinds.filter((kind) => {
    const bytes = weights[kind];
    if (!among.includes(kind) || bytes === undefined || bytes > leftBytes) return false;
    leftBytes -= bytes;
    return true;
  });
}

const namesOf: Readonly<
  Record<UnreplicatedKind, (database: PgDatabase) => { readonly names: string[]; readonly count?: number }>
> = {
  "large-objects": ({ largeObjects: count }) =>
    count === 0 ? { names: [], count: 0 } : { names: [String(count)], count: 1 },
  unlogged: ({ unlogged: names, counts: { unlogged: count } }) => ({
    names,
    ...(count === undefined ? {} : { count }),
  }),
};

/**
 * One for each kind: there is none, it goes along, or a person says that it stays. `databases` is undefined where nobody tells what is in
 * them: of what goes along, the step that weighs it says the rest.
 */
export function unreplicatedResults(
  databases: readonly PgDatabase[] | undefined,
  { kinds, limitBytes }: Carried,
): readonly CheckResult[] {
  const weights = weightsOf(databases ?? []);
  return unreplicatedKinds.map((kind) => {
    const isCarried = kinds.includes(kind);
    const { found } = byDatabase(databases ?? [], namesOf[kind]);
    if (found === "" && (isCarried || databases !== undefined)) return result({ id: kind }, "ok");
    const bytes = weights[kind];
    const facts = {
      found: databases === undefined ? "not measured" : found,
      mebibytes: databases === undefined || bytes === undefined ? "?" : mebibytes(bytes),
      limit: mebibytes(limitBytes),
    };
    return isCarried
      ? result({ id: kind }, "warn", facts)
      : result({ id: kind, yields: "acknowledge" }, "unknown", facts);
  });
}

function mebibytes(bytes: number): string {
  return String(Math.ceil(bytes / 1024 ** 2));
}
