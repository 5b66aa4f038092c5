/** What the verbs of a move decide without a database. */
import { describe, expect, it } from "vitest";
import { quoted, slug } from "#agent/engines/databases.ts";
import { newUsers } from "#agent/engines/kwdb/moving/accounts.ts";
import { type ThreeCounts, whyNotBetween, whyNotEqual } from "#agent/engines/kwdb/moving/comparing.ts";
import { differences } from "#agent/engines/kwdb/moving/describing.ts";
import { manifestSchema } from "#agent/engines/kwdb/moving/manifest.ts";
import { withoutIntervals } from "#agent/engines/kwdb/moving/meta.ts";
import { sortSettings } from "#agent/engines/kwdb/moving/settings-carried.ts";
import { folderOf } from "#agent/host/marks.ts";

describe("meta.sql", () => {
  it("loses PARTITION INTERVAL and nothing else", () => {
    const text = `CREATE TS DATABASE m RETENTIONS 10d partition interval 2d;
CREATE TABLE public.t (ts TIMESTAMPTZ, "PARTITION INTERVAL 1d" INT, c INT DEFAULT 'PARTITION INTERVAL 3d') TAGS (i INT)
  PRIMARY TAGS (i) ACTIVETIME 1d
  PARTITION  INTERVAL 10d;
-- PARTITION INTERVAL 4d
`;
    expect(withoutIntervals(text)).toEqual({
      text: `CREATE TS DATABASE m RETENTIONS 10d;
CREATE TABLE public.t (ts TIMESTAMPTZ, "PARTITION INTERVAL 1d" INT, c INT DEFAULT 'PARTITION INTERVAL 3d') TAGS (i INT)
  PRIMARY TAGS (i) ACTIVETIME 1d;
-- PARTITION INTERVAL 4d
`,
      removed: ["partition interval 2d", "PARTITION INTERVAL 10d"],
    });
  });
});

describe("the settings that go along", () => {
  it("are those that differ; what is left is told with its reason", () => {
    const text = `SET CLUSTER SETTING a.b = 'it''s';
SET CLUSTER SETTING same = '1';
SET CLUSTER SETTING version = '20.1-1';
SET CLUSTER SETTING gone.in.three = '1';
SET CLUSTER SETTING default_transaction_read_only.enabled = 'true';
SET CLUSTER SETTING enterprise.license = 'x';
DROP DATABASE shop;
`;
    const sorted = sortSettings(text, { "a.b": "", same: "1", version: "20.1-3", "enterprise.license": "" });
    expect(sorted.carried).toEqual([
      { name: "a.b", value: "it's", statement: "SET CLUSTER SETTING a.b = 'it''s'" },
    ]);
    expect(sorted.left.map(({ name }) => name)).toEqual([
      "version",
      "gone.in.three",
      "default_transaction_read_only.enabled",
      "enterprise.license",
      "DROP DATABASE shop",
    ]);
  });
});

describe("the users that go along", () => {
  it("are those that are not there yet; other statements go with them", () => {
    const text = `CREATE USER clerk;\nCREATE ROLE "Öl";\nCREATE USER known WITH CREATEROLE;\nGRANT clerk TO "Öl";\n`;
    const found = newUsers(text, ["root", "admin", "known"]);
    expect(found.text).toBe(`CREATE USER clerk;\nCREATE ROLE "Öl";\nGRANT clerk TO "Öl";\n`);
    expect(Object.keys(found.wanted)).toEqual(["clerk", "Öl"]);
    expect(found.told["told.users"]).toContain("known");
    expect(newUsers("CREATE USER known;\n", ["known"]).text).toBe("");
  });

  it("have their memberships also where an earlier try has made them and ended", () => {
    const text = `CREATE USER clerk;\nCREATE USER boss;\nGRANT clerk TO boss;\n`;
    const again = newUsers(text, ["root", "clerk", "boss"], ["clerk", "boss"]);
    expect(again.text).toBe("GRANT clerk TO boss;\n");
    expect(again.told).toEqual({
      users: "clerk, boss",
      "told.passwords": expect.stringContaining("clerk, boss"),
    });
    expect(Object.keys(again.wanted)).toEqual(["clerk", "boss"]);
  });

  it("and what is left out with them is told", () => {
    const found = newUsers("CREATE USER known;\nGRANT admin TO known;\n", ["known"]);
    expect(found).toMatchObject({
      text: "",
      told: { "told.users-words": expect.stringContaining("GRANT admin TO known") },
    });
  });
});

const counts = (rows: number, filled = rows) => ({ shop: { "public.t": { rows, filled: { c: filled } } } });

describe("rows compared", () => {
  it.each<readonly [string, ThreeCounts, string | undefined]>([
    ["alike", { before: counts(2), after: counts(2), here: counts(2) }, undefined],
    ["one lost", { before: counts(2), after: counts(2), here: counts(1) }, "kwdb.rows-differ"],
    ["one too many", { before: counts(2), after: counts(2), here: counts(3) }, "kwdb.rows-differ"],
    ["a NULL more", { before: counts(2), after: counts(2), here: counts(2, 1) }, "kwdb.rows-differ"],
    ["a table less", { before: counts(2), after: counts(2), here: { shop: {} } }, "kwdb.rows-differ"],
    ["a table more", { before: { shop: {} }, after: { shop: {} }, here: counts(0) }, "kwdb.rows-differ"],
    ["one came", { before: counts(2), after: counts(3), here: counts(3) }, "kwdb.rows-came-after"],
  ])("where writes are refused: %s", (_, three, code) => expect(whyNotEqual(three)?.code).toBe(code));

  it.each<readonly [string, ThreeCounts, string | undefined]>([
    ["as before", { before: counts(2), after: counts(5), here: counts(2) }, undefined],
    ["in between", { before: counts(2), after: counts(5), here: counts(4) }, undefined],
    ["rows went", { before: counts(5), after: counts(2), here: counts(4) }, undefined],
    ["less than before", { before: counts(2), after: counts(5), here: counts(1) }, "kwdb.rows-differ"],
    ["more than after", { before: counts(2), after: counts(5), here: counts(6) }, "kwdb.rows-differ"],
    ["a table lost", { before: counts(2), after: counts(2), here: { shop: {} } }, "kwdb.rows-differ"],
    ["an empty table lost", { before: counts(0), after: counts(0), here: { shop: {} } }, "kwdb.rows-differ"],
  ])("where writes go on: %s", (_, three, code) => expect(whyNotBetween(three)?.code).toBe(code));
});

describe("another shape of the cluster", () => {
  it("is told by zone and by node", () => {
    const old = {
      zones: { "RANGE default": "num_replicas = 3", "DATABASE shop": "num_replicas = 5" },
      leaseholders: [3, 4, 3],
    };
    const here = { zones: { "RANGE default": "num_replicas = 1" }, leaseholders: [10] };
    expect(differences(old, here)).toEqual({
      zones: "2",
      "told.zones":
        "RANGE default: was num_replicas = 3, is num_replicas = 1; DATABASE shop: was num_replicas = 5, is not set",
      leaseholders: "was 3/4/3, is 10",
      "told.leaseholders": "per node: was 3/4/3, is 10",
    });
    expect(differences(old, old)).toEqual({ zones: "0", leaseholders: "was 3/4/3, is 3/4/3" });
    for (const leaseholders of [
      [10, 0, 0],
      [98, 1, 1],
    ])
      expect(differences(old, { ...old, leaseholders })).toHaveProperty(["told.leaseholders"]);
  });
});

describe("names", () => {
  it("are safe in paths, different for each database, and quoted in statements", () => {
    expect(slug("../../etc")).toMatch(/^-etc-[0-9a-f]{8}$/);
    expect(slug("库")).not.toBe(slug("账"));
    expect(quoted('a"; DROP DATABASE b; --')).toBe('"a""; DROP DATABASE b; --"');
    expect(folderOf("20260131/../x")).toBe("lockkeeper-20260131_.._x");
  });

  it.each(["../x", "/etc/passwd", "a/../../b", ""])("%j is no file of an export", (path) => {
    const files = [{ path, bytes: 1, sha256: "a".repeat(64) }];
    expect(manifestSchema.safeParse({ files }).success).toBe(false);
  });
});
