/** What a move adds to Patroni's configuration and takes out again: its own, and nothing of anybody else. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { publicationName, subscriptionName } from "#agent/engines/postgresql/names.ts";
import {
  type Change,
  declaring,
  ignoring,
  oursIn,
  releasing,
  undeclaring,
  wordsOf,
} from "#agent/engines/postgresql/patroni/configuration.ts";

type Config = Record<string, unknown>;
const rollout = "orders-2026-02-01-1";
const by = publicationName(rollout, "forward");
const slot = subscriptionName(rollout, "forward", "shop");

/** As `edit-config -s` does it: a path by points, null takes out, and what is empty then goes too. */
function edited(config: Config, changes: readonly Change[]): Config {
  const after = structuredClone(config);
  for (const [path, value] of changes) {
    const [key = "", name] = path.split(".");
    if (name === undefined) set(after, key, value);
    else {
      const within = (after[key] ?? {}) as Config;
      set(within, name, value);
      if (Object.keys(within).length === 0) delete after[key];
      else after[key] = within;
    }
  }
  return after;
}

function set(config: Config, key: string, value: unknown): void {
  if (value === null) delete config[key];
  else config[key] = value;
}

const foreign = {
  ignore_slots: [{ name: "debezium" }, { database: "shop", plugin: "wal2json" }],
  slots: { standby9: { type: "physical" }, cdc: { type: "logical", database: "shop", plugin: "pgoutput" } },
};

describe("slots that Patroni lets alone", () => {
  it("are those of each database, and are not added twice", () => {
    const once = edited({}, ignoring({}, by, ["shop", "stock"]));
    expect(once).toEqual({
      ignore_slots: [
        { database: "shop", plugin: "pgoutput", type: "logical", by },
        { database: "stock", plugin: "pgoutput", type: "logical", by },
      ],
    });
    expect(ignoring(once, by, ["shop", "stock"])).toEqual([]);
    expect(ignoring(once, by, ["shop", "third"])[0]?.[1]).toHaveLength(3);
  });

  it("do not stand for those of another rollout", () => {
    const other = edited({}, ignoring({}, publicationName("other", "forward"), ["shop"]));
    expect(ignoring(other, by, ["shop"])[0]?.[1]).toHaveLength(2);
  });

  it("keep what somebody else has listed", () => {
    const after = edited(foreign, ignoring(foreign, by, ["shop"]));
    expect((after["ignore_slots"] as unknown[]).slice(0, 2)).toEqual(foreign.ignore_slots);
  });
});

describe("slots that Patroni keeps over a failover", () => {
  it("are declared where it looks for them", () => {
    expect(declaring({}, { [slot]: "shop" })).toEqual([
      [`slots.${slot}`, { type: "logical", database: "shop", plugin: "pgoutput" }],
    ]);
    const named = { permanent_slots: { a: { type: "physical" } }, slots: {} };
    expect(declaring(named, { [slot]: "shop" })[0]?.[0]).toBe(`permanent_slots.${slot}`);
    const empty = { permanent_slots: {}, slots: { a: { type: "physical" } } };
    expect(declaring(empty, { [slot]: "shop" })[0]?.[0]).toBe(`slots.${slot}`);
  });

  it("are taken out by name alone", () => {
    const after = edited(foreign, declaring(foreign, { [slot]: "shop" }));
    expect(edited(after, undeclaring(after, [slot]))).toEqual(foreign);
    expect(undeclaring(foreign, [slot])).toEqual([]);
  });
});

describe("at the end of a move", () => {
  const database = fc.constantFrom("shop", "stock", "größe", 'a"b');
  const config = fc.constantFrom<Config>(
    {},
    foreign,
    { ignore_slots: foreign.ignore_slots },
    { permanent_replication_slots: foreign.slots, loop_wait: 10 },
    { slots: foreign.slots, pause: true },
  );

  it("is as it was before, whatever was there", () => {
    fc.assert(
      fc.property(config, fc.uniqueArray(database, { minLength: 1 }), (before, databases) => {
        const names = Object.fromEntries(
          databases.map((name) => [subscriptionName(rollout, "forward", name), name]),
        );
        const ignored = edited(before, ignoring(before, by, databases));
        const kept = edited(ignored, declaring(ignored, names));
        expect(oursIn(kept)).toHaveLength(2 * databases.length);
        expect(releasing(kept, "another")).toEqual([]);
        expect(edited(kept, releasing(kept, rollout))).toEqual(before);
        expect(releasing(before, rollout)).toEqual([]);
      }),
    );
  });

  it("lets what came meanwhile stay", () => {
    const ignored = edited({}, ignoring({}, by, ["shop"])) as { ignore_slots: unknown[] };
    const meanwhile = { ignore_slots: [...ignored.ignore_slots, { name: "new" }] };
    expect(edited(meanwhile, releasing(meanwhile, rollout))).toEqual({ ignore_slots: [{ name: "new" }] });
  });
});

describe("left-overs in it", () => {
  it("are told with their rollout's name, and nobody else's are", () => {
    expect(oursIn(foreign)).toEqual([]);
    expect(oursIn(null)).toEqual([]);
    const kept = edited(foreign, [
      ...ignoring(foreign, by, ["shop"]),
      ...declaring(foreign, { [slot]: "shop" }),
    ]);
    expect(oursIn(kept)).toEqual([
      { name: slot, says: `slots ${slot} in Patroni's configuration` },
      { name: by, says: `ignore_slots of ${by} in Patroni's configuration` },
    ]);
  });
});

it("is said to patronictl in words that YAML reads as they are meant", () => {
  expect(
    wordsOf([
      ["ignore_slots", null],
      ["slots.a", { type: "logical" }],
    ]),
  ).toEqual([...["-s", "ignore_slots=null"], ...["-s", 'slots.a={"type":"logical"}']]);
});
