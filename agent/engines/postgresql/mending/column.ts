/** A column that came late, as statements for the other side: rows that are there must come to have what they have where it was added. */
import { literal } from "../../databases.ts";
import type { Column } from "./tables.ts";

/** Why it cannot be added without a person; undefined where it can. */
export function whyByHand(
  { computed, default: given, fill, notNull, strange }: Column,
  partitioned: boolean,
): string | undefined {
  if (computed) return "is generated or an identity";
  if (strange) return "has values in some rows, and what the rows had before is not known";
  // each partition has its own word on it
  if (partitioned && given !== null) return "has a default, and its table is partitioned";
  // the rows may have it from before, or may have been filled with something else each
  if (given !== null && fill === null) return "has a default, and what the rows had before is not known";
  return notNull && fill === null ? "is NOT NULL, and what the rows had before is not known" : undefined;
}

/**
 * Rows that were written before it came are still in the stream, and lack it: until the last of them is there, its default is what they
 * have on the other side, and an empty one is let in.
 */
export function addingOf(table: string, { name, type, collation, fill }: Column): string {
  const words = [
    `ALTER TABLE ${table} ADD COLUMN ${name} ${type}`,
    ...(collation === null ? [] : [`COLLATE ${collation}`]),
    ...(fill === null ? [] : [`DEFAULT ${literal(fill)}`]),
  ];
  return words.join(" ");
}

/** Of one transaction, when no row comes any more that lacks it: as it is on the other side today. */
export function settlingOf(table: string, { name, notNull, default: given }: Column): string {
  const of = `ALTER TABLE ${table} ALTER COLUMN ${name}`;
  const last = given === null ? "DROP DEFAULT" : `SET DEFAULT ${given}`;
  return [`${of} ${last}`, ...(notNull ? [`${of} SET NOT NULL`] : [])].join("; ");
}
