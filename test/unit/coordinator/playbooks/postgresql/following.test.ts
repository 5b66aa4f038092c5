import { expect, it } from "vitest";
import { following } from "#coordinator/playbooks/postgresql/following.ts";
import type { NodeReport } from "#proto/common/report.ts";
import { type Changed, inputOf, is, slot, subscription, unknown } from "./pair.ts";

const gone = 'logical replication target relation "public.late" does not exist';
const slots = [
  slot("lockkeeper_r_shop", { lagBytes: 12, retainedBytes: 4_096 }),
  slot("lockkeeper_r_bills", { database: "账单", lagBytes: 7_000_000, retainedBytes: 9_000_000 }),
  slot("theirs", { lagBytes: 1e12, retainedBytes: 1e12 }),
];
const subscriptions = [
  { ...subscription("lockkeeper_r_shop"), tables: { r: 4 }, copiedBytes: 100 },
  {
    ...subscription("lockkeeper_r_bills"),
    database: "账单",
    tables: { r: 1, d: 2 },
    isWorking: false,
    errors: 3,
    lastError: gone,
  },
  { ...subscription("theirs"), isWorking: false },
];

const room = { usedPercent: 40, freeBytes: 1_000_000, bytesPerS: 100 };

function seen(source: Changed["facts"] = {}, target: Changed["facts"] = {}) {
  const input = inputOf({
    source: { facts: { slots: is(slots), walRoom: is(room), ...source } },
    target: { facts: { subscriptions: is(subscriptions), ...target } },
  });
  const reports = [...Object.values(input.reports), ...Object.values(input.into?.reports ?? {})];
  return following(reports.filter((report): report is NodeReport => report !== undefined));
}

it("each database has its standing, what the other server says that it is behind, and its own cause", () => {
  const { databases } = seen();
  expect(databases).toMatchObject([
    { database: "shop", standing: "replicating", readyTables: 4, tables: 4, copiedBytes: 100, lagBytes: 12 },
    {
      database: "账单",
      standing: "down",
      readyTables: 1,
      tables: 3,
      lagBytes: 7_000_000,
      why: { code: "postgresql.table-missing" },
    },
  ]);
  expect(databases[0]).not.toHaveProperty("why");
});

it("the WAL that is kept is the worst slot's, with its disk and when that is full", () => {
  const [kept, ...others] = seen().kept;
  expect(others).toEqual([]);
  expect(kept).toMatchObject({
    bytes: 9_000_000,
    disk: { usedPercent: 40, freeBytes: 1_000_000, bytesPerS: 100, fullInMs: 10_000_000 },
    lost: [],
  });
});

it("what is not told is not 0: no slot, a slot without numbers, no disk, a server that does not answer", () => {
  expect(seen({ slots: is([]) }).databases[0]).not.toHaveProperty("lagBytes");
  const silent = slot("lockkeeper_r_shop", { lagBytes: null, retainedBytes: null, walStatus: "lost" });
  const { databases, kept } = seen({ slots: is([silent]), walRoom: unknown });
  expect(databases[0]).not.toHaveProperty("lagBytes");
  expect(kept[0]).not.toHaveProperty("bytes");
  expect(kept[0]).not.toHaveProperty("disk");
  expect(kept[0]?.lost).toMatchObject([{ code: "postgresql.slot-lost" }]);
  expect(seen({ walRoom: is({ ...room, bytesPerS: 0 }) }).kept[0]?.disk).not.toHaveProperty("fullInMs");
  expect(seen({ server: unknown }).unknown).toHaveLength(1);
});
