/** What a check of the move is asked with, and lists of names as one line. */
import type { PgDatabase } from "#proto/engines/postgresql.ts";
import type { CheckResult } from "../../domain/check.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import { isOurs } from "./replication.ts";
import type { PostgresqlClusterSettings } from "./settings.ts";
import type { Side } from "./sides.ts";

/** Both sides are known, and the source's databases. */
export interface Pair {
  readonly input: PlaybookInput;
  readonly settings: PostgresqlClusterSettings;
  readonly source: Side;
  readonly target: Side;
  /** Those that are carried. */
  readonly databases: readonly PgDatabase[];
}

export type SideCheck = (side: Side) => CheckResult | undefined;
export type SourceCheck = (pair: Pick<Pair, "input" | "settings" | "source" | "databases">) => CheckResult;
export type PairCheck = (pair: Pair) => CheckResult;

export function isForeign(of: { readonly name: string }): boolean {
  return !isOurs(of);
}

const shown = 10;

/** The first of a list, and how many more there are of `count`. */
export function firstOf(names: readonly string[], count = names.length): string {
  const told = names.slice(0, shown).join(", ");
  return count > shown ? `${told} and ${count - Math.min(shown, names.length)} more` : told;
}

/** `shop: public.a, public.b; stock: public.c`, of those databases that have any. */
export function byDatabase(
  databases: readonly PgDatabase[],
  listOf: (database: PgDatabase) => { readonly names: readonly string[]; readonly count?: number },
): { readonly found: string; readonly count: number } {
  const parts = databases
    .map((database) => ({ name: database.name, ...listOf(database) }))
    .filter(({ names }) => names.length > 0);
  return {
    found: parts.map(({ name, names, count }) => `${name}: ${firstOf(names, count)}`).join("; "),
    count: parts.reduce((sum, { names, count }) => sum + (count ?? names.length), 0),
  };
}
