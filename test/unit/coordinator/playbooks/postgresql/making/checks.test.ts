import { describe, expect, it } from "vitest";
import { blocking } from "#coordinator/domain/check.ts";
import { postgresql } from "#coordinator/playbooks/postgresql.ts";
import { en } from "#proto/catalogue/en/index.ts";
import { render } from "#proto/catalogue/render.ts";
import type { PgMade } from "#proto/engines/postgresql-made.ts";
import { database, is, type Sides, unknown } from "../pair.ts";
import { makingInput, place, source } from "./cluster.ts";

type Case = readonly [finding: string, why: string, sides?: Sides, place?: Partial<PgMade>, tells?: string];

const unit = (changed: Partial<PgMade["unit"]>) => ({ unit: { ...place.unit, ...changed } });

const cases: readonly Case[] = [
  [
    "make-allowed ko",
    "a file without it",
    { target: { facts: { made: undefined as never } } },
    {},
    "engine.settings.made",
  ],
  ["make-allowed unknown", "programs that are not there", { target: { facts: { made: unknown } } }],
  ["make-allowed unknown", "a new host that does not report", { target: { silent: true } }],
  ["source-superuser ko", "no superuser", source({ server: { isSuperuser: false } })],
  ["make-birth ko", "an agent that is too old", source({ facts: { birth: undefined as never } })],
  ["make-birth unknown", "a question without an answer", source({ facts: { birth: unknown } })],
  [
    "make-version ko",
    "programs of another version",
    {},
    { major: 17, version: "17.6" },
    "apt-get install postgresql-18",
  ],
  ["make-folders ko", "a folder with something in it", {}, { taken: ["/etc/18"] }, "not empty: /etc/18"],
  ["make-unit ko", "a unit that is not there", {}, unit({ load: "not-found" })],
  ["make-unit ko", "a unit that runs", {}, unit({ active: "active" }), "loaded and active"],
  [
    "make-unit ko",
    "a unit that is masked",
    {},
    unit({ load: "masked" }),
    "systemctl unmask postgresql@18-main",
  ],
  ["make-port ko", "a port in use", {}, { portTakenBy: "port 5432" }],
  ["make-socket ko", "an address in place of a socket", {}, { whyNoSocket: "host is 127.0.0.1" }],
  [
    "make-listen ko",
    "an address of the old host",
    source({ settings: { listen_addresses: "localhost, 10.0.0.1" } }),
  ],
  ["make-locales ko", "a locale that is not there", {}, { locales: ["C", "en_US"] }, "en_US.utf8"],
  ["make-locales ko", "the template's own", {}, { locales: ["C", "en_US.utf8"] }, "not there: en_US"],
  ["make-libraries ko", "a library", source({ settings: { shared_preload_libraries: "pg_cron" } })],
  ["make-extensions ko", "an extension", {}, { extensions: ["plpgsql"] }, "hstore"],
  [
    "make-tablespaces ko",
    "a tablespace without a folder",
    source({ facts: { tablespaces: is(["fast", "cold"]) } }),
    {},
    "tablespaces: { cold: ",
  ],
  [
    "make-tablespaces unknown",
    "tablespaces that were not listed",
    source({ facts: { tablespaces: unknown } }),
  ],
  ["make-room ko", "too little room", { more: [database("big", { sizeBytes: 9 * 1024 ** 3 })] }],
];

function findings(sides?: Sides, changed?: Partial<PgMade>): readonly string[] {
  return postgresql
    .check(makingInput(sides, changed))
    .filter(({ status }) => status !== "ok")
    .map(({ id, status }) => `${id.replace("postgresql.", "")} ${status}`);
}

describe("checks before a server is made", () => {
  it("find nothing where all is well, though the new server does not answer", () => {
    expect(findings()).toEqual([]);
    expect(findings(source({ settings: { listen_addresses: "10.0.0.1" } }), { listen: "10.0.0.2" })).toEqual(
      [],
    );
  });

  it.each(cases.map(([finding, why, sides, changed, tells]) => ({ finding, why, sides, changed, tells })))(
    "$finding: $why",
    ({ finding, sides, changed, tells }) => {
      expect(findings(sides, changed)).toEqual([finding]);
      const all = postgresql.check(makingInput(sides, changed));
      const found = all.filter(({ status }) => status !== "ok");
      const words = found.map(({ id, status, facts }) => {
        const { says, next = "" } = render({ code: `check.${id}.${status}`, facts });
        return `${says} ${next}`;
      });
      expect(words.join("\n")).toContain(tells ?? "");
      expect(found.length === 1 && found[0]?.reason === undefined ? words.join("\n") : "").not.toContain(
        "(not said)",
      );
      expect(all.map(({ id }) => `check.${id}`).filter((code) => en[code] === undefined)).toEqual([]);
      expect(blocking(all, [], 0).length).toBe(1);
    },
  );

  it("want a cluster to go into, and one node there", () => {
    expect(findings({ into: false })).toEqual(["target ko"]);
    const input = makingInput();
    const nodes = [...(input.into?.cluster.nodes ?? []), { name: "new2", address: "10.0.0.9" }];
    const two = {
      ...input,
      into: { ...input.into, cluster: { ...input.into?.cluster, nodes } },
    } as typeof input;
    const found = postgresql.check(two).filter(({ status }) => status === "ko");
    expect(found.map(({ id }) => id)).toEqual(["postgresql.make-nodes"]);
  });

  it("leave to a person's word the room alone", () => {
    const byWord = cases.flatMap(([finding, , sides, changed]) =>
      postgresql
        .check(makingInput(sides, changed))
        .some(({ status, yields }) => status !== "ok" && yields !== "never")
        ? [finding]
        : [],
    );
    expect(byWord).toEqual(["make-room ko"]);
  });
});
