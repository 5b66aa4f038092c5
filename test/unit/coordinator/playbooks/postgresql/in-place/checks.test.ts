import { describe, expect, it } from "vitest";
import { blocking } from "#coordinator/domain/check.ts";
import { postgresql } from "#coordinator/playbooks/postgresql.ts";
import { en } from "#proto/catalogue/en/index.ts";
import { render } from "#proto/catalogue/render.ts";
import type { PgInPlace } from "#proto/engines/postgresql.ts";
import { database, is, type Sides, slot, subscription, unknown } from "../pair.ts";
import { inPlaceInput, source } from "./cluster.ts";

type Case = readonly [finding: string, why: string, sides?: Sides, place?: Partial<PgInPlace>];

const facts = (changed: NonNullable<NonNullable<Sides["source"]>["facts"]>) => source({ facts: changed });
const old16 = { versionNum: 160_010, version: "16.10" };

const cases: readonly Case[] = [
  ["in-place-nodes ko", "a standby in the entry", { second: {} }],
  ["in-place-superuser ko", "no superuser", source({ server: { isSuperuser: false } })],
  ["in-place-prepared ko", "a prepared transaction", facts({ preparedTransactions: is(["x in shop"]) })],
  ["in-place-prepared unknown", "who knows of prepared ones", facts({ preparedTransactions: unknown })],
  ["in-place-long-transaction warn", "one open for long", facts({ oldestTransactionS: is(700) })],
  ["in-place-open ko", "somebody's fence", facts({ fence: is({ isReadOnly: true, open: [], clients: 0 }) })],
  [
    "in-place-closed-databases ko",
    "one that takes no connections",
    facts({ closedDatabases: is(["vault"]) }),
  ],
  ["in-place-tablespaces ko", "a tablespace", facts({ tablespaces: is(["fast"]) })],
  ["in-place-tablespaces unknown", "tablespaces not listed", facts({ tablespaces: unknown })],
  ["in-place-reg-columns warn", "a column of regproc", { shop: { regColumns: ["public.t.c"] } }],
  ["in-place-left-overs ko", "a slot of a move", facts({ leftOvers: is(["slot lockkeeper_r1"]) })],
  ["in-place-standbys unknown", "a standby", facts({ standbys: is(1) })],
  [
    "in-place-physical-slots unknown",
    "a standby's slot",
    facts({ slots: is([slot("s", { plugin: null })]) }),
  ],
  ["in-place-slots ko", "a consumer that is away", facts({ slots: is([slot("c", { isActive: false })]) })],
  ["in-place-slots ko", "a slot that is lost", facts({ slots: is([slot("c", { walStatus: "lost" })]) })],
  [
    "in-place-slots unknown",
    "a slot before 17",
    source({ server: old16, facts: { slots: is([slot("c")]) } }),
    { version: "16.10" },
  ],
  ["in-place-subscriptions ko", "an enabled one", facts({ subscriptions: is([subscription("in")]) })],
  [
    "in-place-subscriptions unknown",
    "one before 17",
    source({ server: old16, facts: { subscriptions: is([{ ...subscription("in"), isEnabled: false }]) } }),
    { version: "16.10" },
  ],
  [
    "in-place-managed unknown",
    "a manager",
    facts({ highAvailability: is([{ kind: "patroni", by: "process" }]) }),
  ],
  ["in-place-archive unknown", "an archive", source({ settings: { archive_mode: "on" } })],
  ["in-place-allowed ko", "an agent's file without it", facts({ inPlace: undefined as never })],
  ["in-place-allowed unknown", "programs that are not there", facts({ inPlace: unknown })],
  ["in-place-version ko", "programs of another version", {}, { newMajor: 16, newVersion: "16.1" }],
  ["in-place-programs warn", "a package that was renewed", {}, { version: "17.7" }],
  ["in-place-folder ko", "another folder", {}, { data: "/other" }],
  [
    "in-place-units ko",
    "a server started by hand",
    {},
    { unit: { name: "u", load: "loaded", active: "inactive" } },
  ],
  [
    "in-place-units ko",
    "a new unit that is not there",
    {},
    { newUnit: { name: "n", load: "not-found", active: "inactive" } },
  ],
  [
    "in-place-units ko",
    "a new unit that runs",
    {},
    { newUnit: { name: "n", load: "loaded", active: "active" } },
  ],
  ["in-place-new-folder ko", "a folder with something in it", {}, { taken: ["/data18"] }],
  [
    "in-place-account ko",
    "an account that does not get in",
    {},
    { whyAccountNotIn: "Peer authentication failed" },
  ],
  ["in-place-extensions ko", "an extension that is not there", {}, { extensions: ["plpgsql"] }],
  [
    "in-place-libraries ko",
    "a library that is not there",
    source({ settings: { shared_preload_libraries: 'pg_stat_statements, "pg_cron"' } }),
  ],
  [
    "in-place-file-system ko",
    "links over two file systems",
    { entry: { "upgrade-mode": "link" } },
    { isOneFileSystem: false },
  ],
  ["in-place-room ko", "no room for a copy", {}, { availableBytes: 600 * 1024 ** 2 }],
  ["in-place-wal-folder unknown", "WAL of its own", {}, { walFolder: "/wal" }],
];

function findings(sides?: Sides, place?: Partial<PgInPlace>): readonly string[] {
  return postgresql
    .check(inPlaceInput(sides, place))
    .filter(({ status }) => status !== "ok")
    .map(({ id, status }) => `${id.replace("postgresql.", "")} ${status}`);
}

describe("checks before an upgrade in place", () => {
  it("find nothing where all is well, and ask for no other cluster", () => {
    const results = postgresql.check(inPlaceInput());
    expect(results.filter(({ status }) => status !== "ok")).toEqual([]);
    expect(results.length).toBeGreaterThan(25);
    expect(new Set(results.map(({ id }) => id)).size).toBe(results.length);
  });

  it.each(cases.map(([finding, why, sides, changed]) => ({ finding, why, sides, changed })))(
    "$finding: $why",
    ({ finding, sides, changed }) => {
      expect(findings(sides, changed)).toEqual([finding]);
    },
  );

  it("have words for whatever they find, without a gap", () => {
    const all = cases.flatMap(([, , sides, place]) => postgresql.check(inPlaceInput(sides, place)));
    const codes = all.flatMap(({ id, status }) => [
      `check.${id}`,
      ...(status === "ok" ? [] : [`check.${id}.${status}`]),
    ]);
    expect([...new Set(codes)].filter((code) => en[code] === undefined)).toEqual([]);
    const gaps = all
      .filter((each) => each.reason === undefined)
      .flatMap(({ id, status, facts: told }) => {
        const { says, next = "" } = render({
          code: status === "ok" ? `check.${id}` : `check.${id}.${status}`,
          facts: told,
        });
        return `${says} ${next}`.includes("(not said)") ? [id] : [];
      });
    expect(gaps).toEqual([]);
  });

  it("leave to a person's word what no look can tell, and nothing else", () => {
    const byWord = cases.flatMap(([finding, , sides, place]) => {
      const [id = ""] = finding.split(" ");
      const found = postgresql
        .check(inPlaceInput(sides, place))
        .find((each) => each.id === `postgresql.${id}`);
      return found === undefined || found.yields === "never" ? [] : [finding];
    });
    expect(byWord.sort()).toEqual([
      "in-place-archive unknown",
      "in-place-managed unknown",
      "in-place-physical-slots unknown",
      "in-place-room ko",
      "in-place-slots unknown",
      "in-place-standbys unknown",
      "in-place-subscriptions unknown",
      "in-place-wal-folder unknown",
    ]);
  });

  it("let nothing pass that was not measured", () => {
    const kinds = [
      "preparedTransactions",
      "databases",
      "tablespaces",
      "closedDatabases",
      "slots",
      "standbys",
    ] as const;
    for (const kind of kinds) {
      const results = postgresql.check(inPlaceInput(facts({ [kind]: unknown })));
      expect(blocking(results, [], 0).length, kind).toBeGreaterThan(0);
    }
  });

  it("want room for a copy, and little where files are shared", () => {
    const little = { availableBytes: 600 * 1024 ** 2 };
    expect(findings({ entry: { "upgrade-mode": "link" } }, little)).toEqual([]);
    expect(findings({ entry: { "upgrade-mode": "clone" } }, little)).toEqual([]);
    expect(findings({ more: [database("big", { sizeBytes: 9 * 1024 ** 3 })] })).toEqual(["in-place-room ko"]);
  });
});
