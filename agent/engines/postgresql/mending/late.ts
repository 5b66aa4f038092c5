/** What came on the old server since its schema was loaded: what can be made on the new one too, and what a person must look at. Pure. */
import { whyByHand } from "./column.ts";
import type { Column, Table } from "./tables.ts";

export interface Late {
  /** Not there at all. */
  readonly tables: readonly string[];
  readonly columns: readonly { readonly table: string; readonly column: Column }[];
  /** Tables whose rows cannot be found there any more, as the old server has them. */
  readonly keys: readonly Table[];
  /** In words: nothing of it is touched. */
  readonly byHand: readonly string[];
}

export function lateIn(there: readonly Table[], here: readonly Table[]): Late {
  const known = new Map(here.map((each) => [each.table, each]));
  const names = new Set(there.map(({ table }) => table));
  const pairs = there.flatMap((old) => {
    const young = known.get(old.table);
    return young === undefined ? [] : [{ old, young, ...columnsOf(old, young) }];
  });
  return {
    tables: there.flatMap(({ table }) => (known.has(table) ? [] : [table])),
    columns: pairs.flatMap(({ old, added }) => added.map((column) => ({ table: old.table, column }))),
    keys: pairs.flatMap(({ old, young }) => (isFound(old) && !isFoundAs(old, young) ? [old] : [])),
    byHand: [
      ...here.flatMap(({ table }) => (names.has(table) ? [] : [`table ${table} is on the new server alone`])),
      ...pairs.flatMap(({ byHand }) => byHand),
    ],
  };
}

/** A name that went and one that came may be one column that was renamed: then neither is added. */
function columnsOf(old: Table, young: Table) {
  const mine = new Map(young.columns.map((each) => [each.name, each]));
  const theirs = new Set(old.columns.map(({ name }) => name));
  const at = (name: string) => `column ${old.table}.${name}`;
  const gone = young.columns.filter(({ name, inherited }) => !theirs.has(name) && !inherited);
  const came = old.columns.filter(({ name, inherited }) => !mine.has(name) && !inherited);
  const added = came.filter((each) => gone.length === 0 && whyByHand(each, old.partitioned) === undefined);
  const byHand = [
    ...gone.map(({ name }) => `${at(name)} is on the new server alone: dropped or renamed`),
    ...came.flatMap((each) => {
      const why = gone.length === 0 ? whyByHand(each, old.partitioned) : "is on the old server alone";
      return why === undefined ? [] : [`${at(each.name)} ${why}`];
    }),
    ...old.columns.flatMap((each) => {
      const own = mine.get(each.name);
      const differs = own !== undefined && (own.type !== each.type || own.collation !== each.collation);
      return differs && !each.inherited
        ? [`${at(each.name)} is ${typed(each)} on the old server, ${typed(own)} on the new one`]
        : [];
    }),
  ];
  return { added, byHand };
}

function typed({ type, collation }: Column): string {
  return collation === null ? type : `${type} COLLATE ${collation}`;
}

function isFound({ published, identity, key }: Table): boolean {
  return published && (key !== null || identity === "f");
}

/** Of a row that comes only the columns of the other side's identity are told, where that is no whole row. */
function isFoundAs(old: Table, young: Table): boolean {
  if (old.identity === "i") return young.identity === "i" && young.key !== null;
  return young.key !== null || young.identity === "f";
}
