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

/** Of one transaction. The default is set after the rows were filled: what it gives may have been another one then. */
export function addingOf(
  table: string,
  { name, type, collation, notNull, default: given, fill }: Column,
): string {
  const words = [
    `ALTER TABLE ${table} ADD COLUMN ${name} ${type}`,
    ...(collation === null ? [] : [`COLLATE ${collation}`]),
    ...(fill === null ? [] : [`DEFAULT ${literal(fill)}`]),
    ...(notNull ? ["NOT NULL"] : []),
  ];
  const last = given === null ? "DROP DEFAULT" : `SET DEFAULT ${given}`;
  return [words.join(" "), `ALTER TABLE ${table} ALTER COLUMN ${name} ${last}`].join("; ");
}
