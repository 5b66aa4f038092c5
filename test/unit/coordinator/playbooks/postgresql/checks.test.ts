import { describe, expect, it } from "vitest";
import { blocking, type CheckResult } from "#coordinator/domain/check.ts";
import { checkMove } from "#coordinator/playbooks/postgresql/checks.ts";
import { databasesOf } from "#coordinator/playbooks/postgresql/sides.ts";
import { en } from "#proto/catalogue/en/index.ts";
import { render } from "#proto/catalogue/render.ts";
import { type Case, databasesNotFit, pairNotFit, shop, sidesNotFit, source, target } from "./cases.ts";
import { newServerNotReady } from "./new-server-cases.ts";
import {
  type Changed,
  database,
  disk,
  inputOf,
  is,
  type Sides,
  slot,
  subscription,
  unknown,
  walDisk,
} from "./pair.ts";
import { pglogicalNotFit } from "./pglogical-cases.ts";

const gibibyte = 1024 ** 3;
const cases: readonly Case[] = [
  ...sidesNotFit,
  ...databasesNotFit,
  ...pairNotFit,
  ...newServerNotReady,
  ...pglogicalNotFit,
];

/** What is not OK, as `id STATUS`. */
function findings(sides: Sides): readonly string[] {
  return checkMove(inputOf(sides))
    .filter(({ status }) => status !== "ok")
    .map(({ id, status }) => `${id.replace("postgresql.", "")} ${status}`);
}

function found(id: string, sides: Sides): CheckResult | undefined {
  return checkMove(inputOf(sides)).find((each) => each.id === `postgresql.${id}` && each.status !== "ok");
}

describe("checks before a move", () => {
  it("find nothing where all is well", () => {
    const results = checkMove(inputOf({}));
    expect(results.filter(({ status }) => status !== "ok")).toEqual([]);
    expect(results.length).toBeGreaterThan(60);
    expect(new Set(results.map(({ id, node }) => `${id} ${node ?? ""}`)).size).toBe(results.length);
  });

  it("say no more of a cluster whose settings cannot be read", () => {
    expect(findings({ entry: { "databases-at-once": "many" } })).toEqual(["settings ko"]);
  });

  it.each([
    [undefined, "it is not known into which cluster"],
    ["elsewhere", 'it is not known into which cluster ("elsewhere" is not in the inventory)'],
  ])("into %s tell what is missing, and the option", (into, says) => {
    const { into: _, wish, ...input } = inputOf({});
    const checks = checkMove({ ...input, wish: { to: wish.to, ...(into === undefined ? {} : { into }) } });
    const target = checks.find(({ id }) => id === "postgresql.target");
    const told = render({ code: `check.${target?.id}.${target?.status}`, facts: target?.facts ?? {} });
    expect(told.says).toBe(says);
    expect(told.next).toMatch(/^add --into CLUSTER: /);
  });

  it("ask of a source without report only that it reports", () => {
    expect(findings(source({ silent: true }))).toEqual(["reached unknown", "source-primary unknown"]);
  });

  it("refuse what has no logical replication of its own", () => {
    const sides = source({ server: { versionNum: 90_624, version: "9.6.24" } });
    expect(findings(sides)).toEqual(["source-version ko"]);
    expect(texts(found("source-version", sides))).toContain("never tested");
  });

  it.each(cases.map(([finding, why, sides, tells = ""]) => ({ finding, why, sides, tells })))(
    "$finding: $why",
    ({ finding, sides, tells }) => {
      const all = findings(sides);
      expect(all.filter((each) => !(consequences[finding] ?? []).includes(each))).toEqual([finding]);
      const id = finding.split(" ")[0] ?? "";
      expect(texts(found(id, sides))).toContain(tells);
    },
  );

  it("have words for whatever they find, without a gap", () => {
    const all = cases.flatMap(([, , sides]) => checkMove(inputOf(sides)));
    const codes = all.flatMap(({ id, status }) => [
      `check.${id}`,
      ...(status === "ok" ? [] : [`check.${id}.${status}`]),
    ]);
    expect([...new Set(codes)].filter((code) => en[code] === undefined)).toEqual([]);
    expect(all.filter((each) => each.reason === undefined && texts(each).includes("(not said)"))).toEqual([]);
  });
});

/** What cannot but come with it. */
const consequences: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(
    ["wal-level", "slot-room", "sender-room", "worker-room", "process-room"].map((what) => [
      `source-${what} ko`,
      ["source-restart ko"],
    ]),
  ),
  "databases unknown": ["databases-left unknown"],
  "databases-left ko": ["closed-databases warn"],
  "reached unknown": ["target-primary unknown"],
  "newer ko": ["wanted-version ko"],
  "target-standbys unknown": ["target-connections unknown"],
  "pglogical-patroni unknown": ["source-patroni unknown"],
  "target-version warn": ["source-tools warn", "target-tools warn"],
  "target-extension-rows ko": ["extension-tables warn"],
  "target-empty unknown": [
    "target-extension-rows unknown",
    "target-others unknown",
    "target-open unknown",
    "encoding unknown",
    "locale unknown",
  ],
};

/** Title, finding and hint, as a person reads them. */
function texts(result: CheckResult | undefined): string {
  if (result === undefined) return "";
  const { id, status, facts, reason } = result;
  const title = render({ code: `check.${id}`, facts }).says;
  if (status === "ok") return title;
  const { says, next = "" } = render({ code: `check.${id}.${status}`, facts });
  const because = reason === undefined ? "" : render(reason).says;
  return [title, says, because, next].join("\n");
}

describe("what a person's word can do", () => {
  const byWord = cases.filter(
    ([finding, , sides]) => found(finding.split(" ")[0] ?? "", sides)?.yields !== "never",
  );

  it("is limited to these", () => {
    expect([...new Set(byWord.map(([finding]) => finding))].sort()).toEqual([
      "databases-left unknown",
      "full-incomparable unknown",
      "large-objects unknown",
      "source-managed unknown",
      "source-publications unknown",
      "source-slots unknown",
      "source-subscriptions unknown",
      "target-backup ko",
      "target-backup unknown",
      "target-backup warn",
      "target-managed unknown",
      "target-others unknown",
      "target-room ko",
      "target-room unknown",
      "target-slots unknown",
      "target-standbys unknown",
      "target-standbys warn",
      "target-subscriptions unknown",
      "unlogged unknown",
    ]);
  });

  it("lets the move begin with what is lost", () => {
    const results = checkMove(inputOf(shop({ largeObjects: 20 })));
    const word = {
      kind: "acknowledgement",
      check: "postgresql.large-objects",
      reason: "r",
      by: "b",
      at: "",
    } as const;
    expect(blocking(results, [], 0).map(({ id }) => id)).toEqual(["postgresql.large-objects"]);
    expect(blocking(results, [word], 0)).toEqual([]);
  });
});

describe("room for replication", () => {
  const stock = [database("stock"), database("a"), database("b"), database("c")];
  const five: Sides = { more: stock, entry: {}, source: { facts: fenceOpen() } };
  function fenceOpen() {
    return { fence: is({ isReadOnly: false, open: ["a", "b", "c", "shop", "stock"], clients: 0 }) };
  }

  it("is wanted for every database, and for the tables of as many as are copied at once", () => {
    const result = found("source-slot-room", {
      ...five,
      source: { ...five.source, settings: { max_replication_slots: "8" } },
    });
    expect(result).toMatchObject({
      status: "ko",
      facts: { has: "8", needs: "9", wants: "15", databases: "5" },
    });
  });

  it("warns where all databases together could want more", () => {
    expect(found("source-slot-room", five)).toMatchObject({
      status: "warn",
      facts: { has: "10", wants: "15" },
    });
  });

  it("is not taken by subscriptions of this tool", () => {
    const subscriptions = is(Array.from({ length: 8 }, (_, at) => subscription(`lockkeeper_${at}`)));
    expect(findings({ target: { facts: { subscriptions } }, source: { facts: { subscriptions } } })).toEqual(
      [],
    );
  });

  it("counts what this tool has made itself as free", () => {
    const slots = is(Array.from({ length: 8 }, (_, at) => slot(`lockkeeper_${at}`)));
    expect(found("source-slot-room", source({ facts: { slots } }))).toBeUndefined();
    expect(found("source-slots", source({ facts: { slots } }))).toBeUndefined();
  });
});

describe("more of single checks", () => {
  it("needs a library that an extension cannot be made without", () => {
    const sides: Sides = {
      shop: { extensions: [{ name: "pg_cron", version: "1.6" }] },
      source: { settings: { shared_preload_libraries: '"pg_cron", auto_explain' } },
      target: {
        facts: { available: is({ pg_cron: "1.6" }) },
        settings: { shared_preload_libraries: "auto_explain" },
      },
    };
    expect(findings(sides)).toEqual(["cron warn", "preload ko"]);
    expect(texts(found("preload", sides))).toContain("shared_preload_libraries = auto_explain, pg_cron;");
  });

  it("does not need one of an extension that nobody uses", () => {
    expect(findings(source({ settings: { shared_preload_libraries: "pg_cron" } }))).toEqual(["preload warn"]);
  });

  it("speaks of a primary by its own name among standbys", () => {
    expect(findings({ second: {} })).toEqual([]);
  });

  it("does not call a node a standby that has not said so", () => {
    expect(findings({ second: { silent: true } })).toEqual(["reached unknown", "source-primary unknown"]);
  });

  it("does not take this tool's own objects for somebody else's", () => {
    const subscriptions = is([subscription("lockkeeper_r1")]);
    const facts = { subscriptions, slots: is([slot("lockkeeper_r1")]) };
    const publications = ["lockkeeper_r1"];
    expect(findings({ source: { facts }, target: { facts }, shop: { publications } })).toEqual([]);
  });

  it("does not take one host's loopback for a fault", () => {
    for (const address of ["127.0.0.1", "127.0.0.1:5433", "[::1]:5433"]) {
      const local: Changed = { address, settings: { listen_addresses: "localhost" } };
      expect(findings({ source: local, target: local })).toEqual([]);
    }
  });

  it("lets a target before 18 have identities with generated columns", () => {
    const target17: Sides = { target: { server: { versionNum: 170_010, version: "17.10" } }, to: "17" };
    expect(findings({ ...target17, shop: { generatedIdentity: ["public.g"] } })).toEqual([]);
  });

  it("takes as much room as is wanted for enough, and a full disk for full", () => {
    const mebibyte = 1024 ** 2;
    expect(findings(target({ fileSystems: disk(120 * mebibyte) }))).toEqual([]);
    const atLimit = found("source-room", source(walDisk(10 * gibibyte)));
    expect(atLimit).toMatchObject({ status: "ko", facts: { percent: "90" } });
    const quarter: Sides = {
      shop: { sizeBytes: 60 * gibibyte },
      source: walDisk(15 * gibibyte),
      target: { fileSystems: disk(72 * gibibyte) },
    };
    expect(findings(quarter)).toEqual([]);
  });

  it("names only databases that have what is found", () => {
    const sides: Sides = { shop: { foreignTables: ["public.f"] }, more: [database("stock")] };
    expect(found("foreign-tables", sides)?.facts).toEqual({ found: "shop: public.f", count: "1" });
  });

  it("holds at each limit itself", () => {
    const [oldest, minute] = [{ versionNum: 100_023, version: "10.23" }, 60];
    expect(findings(source({ server: oldest, facts: { oldestTransactionS: is(10 * minute) } }))).toEqual([]);
  });

  it("counts the names that a report has left out", () => {
    const names = Array.from({ length: 50 }, (_, at) => `public.t${at}`);
    const sides = shop({ withoutIdentity: names, counts: { withoutIdentity: 700 } });
    expect(texts(found("identity", sides))).toContain("and 690 more");
    expect(found("identity", sides)?.facts).toMatchObject({ count: "700" });
    const views = shop({ materializedViews: names, counts: { materializedViews: 51 } });
    expect(texts(found("materialized-views", views))).toContain("and 41 more");
  });
});

describe("databases that are carried", () => {
  it("are all but one that every server has, unless it is used", () => {
    expect(databasesOf(inputOf({ more: [database("stock")] }))).toEqual(["shop", "stock"]);
    const used = { databases: is([database("postgres", { userTables: 1 }), database("shop")]) };
    expect(databasesOf(inputOf(source({ facts: used })))).toEqual(["postgres", "shop"]);
  });

  it("are those that the settings list", () => {
    expect(databasesOf(inputOf({ entry: { databases: "shop, postgres" } }))).toEqual(["shop", "postgres"]);
  });

  it("are not known where the source does not tell them", () => {
    expect(databasesOf(inputOf(source({ facts: { databases: unknown } })))).toBeUndefined();
    expect(databasesOf(inputOf({ entry: { "databases-at-once": "many" } }))).toBeUndefined();
  });
});
