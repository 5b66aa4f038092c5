import { expect, it } from "vitest";
import { type Outage, overlaps } from "#test/lab/kwdb/records.ts";

const outage = (node: string, from: number, to: number | null): Outage => ({
  node,
  from: new Date(from),
  to: to === null ? null : new Date(to),
});

it.each<readonly [string, number, readonly Outage[]]>([
  ["one after the other", 0, [outage("db1", 0, 10), outage("db2", 10, 20)]],
  ["one within the other", 1, [outage("db1", 0, 10), outage("db2", 4, 6)]],
  ["the second before the first is back", 1, [outage("db1", 0, 10), outage("db2", 9, 20)]],
  ["one that never came back", 1, [outage("db1", 0, null), outage("db2", 9, 20)]],
  ["the same node twice", 0, [outage("db1", 0, 10), outage("db1", 5, 20)]],
])("two nodes down at once are found in the hosts' records: %s", (_, pairs, outages) => {
  expect(overlaps(outages)).toHaveLength(pairs);
  expect(overlaps([...outages].reverse())).toHaveLength(pairs);
});
