/** What a test needs to know of the zoo's tables. */
import type { Major } from "../binaries.ts";
import { shop, street } from "./roles.ts";

/** By what a row is told from another one: only the first two will do for UPDATE and DELETE as they are. */
export type Identity =
  | "primary key"
  | "unique index"
  | "partial unique index"
  | "nullable unique index"
  | "none"
  /** Of a type without equality, so that the whole row will not do either. */
  | "none, with json";

export interface ZooTable {
  readonly database: string;
  readonly schema: string;
  readonly name: string;
  readonly identity: Identity;
  /** Of this table alone: children and partitions are tables of their own. */
  readonly rows: number;
  readonly parent?: string;
  /** Of its trigger, which needs a search_path. */
  readonly fires?: "always" | "replica" | "plainly" | "never";
  /**
   * What refuses a copy of its rows into a full copy of its schema: a NOT VALID check that old rows break (pg_dump has
   * it in post-data); row security that the owner is under as well, as whom a subscription writes since 16 unless it
   * has run_as_owner.
   */
  readonly refuses?: "not valid check" | "forced row security";
  readonly since?: Major;
}

const plain = (name: string, rows: number, more: Partial<ZooTable> = {}): ZooTable => ({
  database: shop,
  schema: "public",
  name,
  identity: "primary key",
  rows,
  ...more,
});

const all: readonly ZooTable[] = [
  plain("customers", 200),
  plain("orders", 500, { refuses: "not valid check" }),
  plain("readings", 20_000),
  plain("written", 0),
  plain("by_index", 50, { identity: "unique index" }),
  plain("without_identity", 32, { identity: "none" }),
  plain("json_log", 20, { identity: "none, with json" }),
  plain("partly_unique", 40, { identity: "partial unique index" }),
  plain("nullable_unique", 3, { identity: "nullable unique index" }),
  plain("Mixed Case; DROP", 25, { schema: "Odd schema" }),
  plain("表", 2, { schema: "lager.数据" }),
  plain("vehicles", 1),
  plain("cars", 2, { parent: "vehicles" }),
  plain("session_cache", 100),
  plain("measured_2025", 184, { parent: "measured" }),
  plain("measured_2026", 116, { parent: "measured" }),
  plain("hashed_0", 31, { parent: "hashed", since: 11 }),
  plain("hashed_1", 29, { parent: "hashed", since: 11 }),
  plain("listed_a", 1, { parent: "listed", identity: "none", since: 11 }),
  plain("listed_rest", 2, { parent: "listed", identity: "none", since: 11 }),
  plain("priced", 30, { since: 12 }),
  plain("awkward", 12),
  plain("xml_documents", 2),
  plain("audit", 20, { identity: "none" }),
  plain("watched_always", 10, { fires: "always" }),
  plain("watched_replica", 10, { fires: "replica" }),
  plain("watched_plainly", 10, { fires: "plainly" }),
  plain("watched_never", 10, { fires: "never" }),
  plain("private_notes", 10, { refuses: "forced row security" }),
  plain('Nr. "7"', 12, { database: street, schema: "Häuser" }),
];

/** The tables with rows, partitioned ones by their leaves, of the zoo that `zooSql` builds for this major. */
export function zooTables(major: Major): readonly ZooTable[] {
  return all
    .filter((table) => (table.since ?? 0) <= major)
    .map((table) => (table.name === "awkward" && major >= 14 ? { ...table, rows: table.rows + 2 } : table));
}

/** As `zooCounts` names it. */
export function zooKey(table: Pick<ZooTable, "schema" | "name">): string {
  return `${table.schema}.${table.name}`;
}
