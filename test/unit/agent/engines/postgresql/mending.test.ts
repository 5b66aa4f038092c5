/** What came late on the old server: what can be made on the new one too, in which words, and what a person must look at. */
import { describe, expect, it } from "vitest";
import { addingOf, settlingOf } from "#agent/engines/postgresql/mending/column.ts";
import { lateIn } from "#agent/engines/postgresql/mending/late.ts";
import type { Column, Table } from "#agent/engines/postgresql/mending/tables.ts";
import { partitionsLast, withoutThose } from "#agent/engines/postgresql/table-of-contents.ts";

const column = (name: string, more: Partial<Column> = {}): Column => ({
  name,
  type: "integer",
  collation: null,
  notNull: false,
  inherited: false,
  computed: false,
  default: null,
  fill: null,
  strange: false,
  ...more,
});

const key = {
  index: "t_pkey",
  definition: "CREATE UNIQUE INDEX t_pkey ON public.t USING btree (id)",
  constraint: { name: "t_pkey", definition: "PRIMARY KEY (id)" },
};

const table = (name: string, columns: readonly Column[], more: Partial<Table> = {}): Table => ({
  table: name,
  partitioned: false,
  rewritten: false,
  published: true,
  columns: [...columns],
  identity: "d",
  key,
  ...more,
});

const id = column("id", { notNull: true });
const nothing = { tables: [], columns: [], keys: [], byHand: [] };

describe("what came late", () => {
  it("is nothing where both sides are the same", () => {
    const both = [table("public.t", [id, column("a")])];
    expect(lateIn(both, both)).toEqual(nothing);
  });

  it("is a table, a column, a key: each by its name", () => {
    const there = [table("public.t", [id, column("a")]), table("public.late", [id])];
    const here = [table("public.t", [id], { key: null })];
    expect(lateIn(there, here)).toEqual({
      tables: ["public.late"],
      columns: [{ table: "public.t", column: column("a") }],
      keys: [there[0]],
      byHand: [],
    });
  });

  it("adds no column beside one that went: it may be a rename, and its rows' values would be lost", () => {
    const found = lateIn([table("public.t", [id, column("b")])], [table("public.t", [id, column("a")])]);
    expect(found).toEqual({
      ...nothing,
      byHand: [
        "column public.t.a is on the new server alone: dropped or renamed",
        "column public.t.b is on the old server alone",
      ],
    });
  });

  it.each<readonly [string, Partial<Column>, Partial<Table>]>([
    ["is generated or an identity", { computed: true }, {}],
    ["has a default, and what the rows had before is not known", { default: "nextval('s')" }, {}],
    ["has values in some rows, and what the rows had before is not known", { strange: true }, {}],
    ["is NOT NULL, and what the rows had before is not known", { notNull: true }, {}],
    ["has a default, and its table is partitioned", { default: "1" }, { partitioned: true }],
  ])("leaves a column to a person that %s", (why, more, of) => {
    const found = lateIn([table("public.t", [id, column("a", more)], of)], [table("public.t", [id], of)]);
    expect(found).toEqual({ ...nothing, byHand: [`column public.t.a ${why}`] });
  });

  it("leaves to a person what is of another type, and what went", () => {
    const found = lateIn(
      [table("public.t", [id, column("a", { type: "bigint" })])],
      [table("public.t", [id, column("a")]), table("public.gone", [id])],
    );
    expect(found.byHand).toEqual([
      "table public.gone is on the new server alone",
      "column public.t.a is bigint on the old server, integer on the new one",
    ]);
  });

  it("takes the column of a partition for its parent's", () => {
    const parent = (columns: readonly Column[]) =>
      table("public.p", columns, { partitioned: true, published: false });
    const child = (columns: readonly Column[]) => table("public.p_1", columns);
    const came = column("a", { inherited: true });
    const found = lateIn([parent([id, column("a")]), child([id, came])], [parent([id]), child([id])]);
    expect(found).toEqual({ ...nothing, columns: [{ table: "public.p", column: column("a") }] });
  });

  it.each<readonly [string, Partial<Table>, Partial<Table>, boolean]>([
    ["a key", {}, { key: null }, true],
    ["the whole row", { identity: "f", key: null }, { key: null }, true],
    ["a chosen index, where the other side goes by its key", { identity: "i" }, {}, true],
    ["the whole row, where the other side has a key", { identity: "f", key: null }, {}, false],
    ["nothing", { key: null }, { key: null }, false],
    ["what is not published", { published: false }, { key: null }, false],
  ])("gives a lost identity again: %s", (_, there, here, given) => {
    const found = lateIn([table("public.t", [id], there)], [table("public.t", [id], here)]);
    expect(found.keys.map((each) => each.table)).toEqual(given ? ["public.t"] : []);
  });
});

describe("a column that came late", () => {
  it("fills the rows with what they had then, and those on their way; at last it has the default of now", () => {
    const given = column('"Más"', { type: "text", fill: "it's", default: "'new'::text", notNull: true });
    expect(addingOf("public.t", given)).toBe(`ALTER TABLE public.t ADD COLUMN "Más" text DEFAULT 'it''s'`);
    expect(settlingOf("public.t", given)).toBe(
      `ALTER TABLE public.t ALTER COLUMN "Más" SET DEFAULT 'new'::text; ALTER TABLE public.t ALTER COLUMN "Más" SET NOT NULL`,
    );
  });

  it("leaves them empty where they were", () => {
    const given = column("a", { type: "text", collation: 'pg_catalog."C"' });
    expect(addingOf("public.t", given)).toBe('ALTER TABLE public.t ADD COLUMN a text COLLATE pg_catalog."C"');
    expect(settlingOf("public.t", given)).toBe("ALTER TABLE public.t ALTER COLUMN a DROP DEFAULT");
  });
});

it("a partition is made part of its table after it has its own key: it would be given one twice", () => {
  const list = `;
; Archive created
220; 1259 16400 TABLE public p_2 postgres
3300; 0 0 TABLE ATTACH public p_2 postgres
3301; 0 0 INDEX ATTACH public p_2_pkey postgres
3200; 2606 16403 CONSTRAINT public p_2 p_2_pkey postgres
3201; 1259 16404 INDEX public p_2_note postgres
`;
  expect(partitionsLast(list).split("\n")).toEqual([
    "220; 1259 16400 TABLE public p_2 postgres",
    "3200; 2606 16403 CONSTRAINT public p_2 p_2_pkey postgres",
    "3201; 1259 16404 INDEX public p_2_note postgres",
    "3300; 0 0 TABLE ATTACH public p_2 postgres",
    "3301; 0 0 INDEX ATTACH public p_2_pkey postgres",
    "",
  ]);
});

it("what is there already is left out of a list by its whole name", () => {
  const list = `;
3201; 1259 16404 INDEX public t_note app
3202; 1259 16405 INDEX public t_note too app
3203; 2606 16406 FK CONSTRAINT public t t_of_fkey app
`;
  expect(withoutThose(list, ["INDEX public t_note app", "FK CONSTRAINT public t t_other_fkey app"])).toBe(
    "3202; 1259 16405 INDEX public t_note too app\n3203; 2606 16406 FK CONSTRAINT public t t_of_fkey app\n",
  );
});
