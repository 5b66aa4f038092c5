import { expect, it } from "vitest";
import { claimFormat, release, take } from "#coordinator/domain/claim.ts";
import { leaderFormat, nextLeader, resign } from "#coordinator/domain/leader.ts";
import { enter, grant, heldBy, type LockRecord, lockFormat } from "#coordinator/domain/lock.ts";
import { breakLock } from "#coordinator/domain/lock-recovery.ts";
import { type NodeStanding, standingFormat } from "#coordinator/domain/standing.ts";
import { Standings } from "#coordinator/engine/lock/standings.ts";
import {
  InventoryBook,
  type InventoryRecord,
  inventoryFormat,
} from "#coordinator/engine/orders/inventory-book.ts";
import { inventoryChanges } from "#coordinator/inventory/change.ts";
import { parseInventory } from "#coordinator/inventory/parse.ts";
import {
  claimRecords,
  inventoryRecords,
  leaderRecords,
  lockRecords,
  standingRecords,
} from "#coordinator/nats/records.ts";
import { readStored } from "#coordinator/nats/stored.ts";
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import { memoryRegister } from "#test/doubles/memory/register.ts";
import { VirtualClock } from "#test/flow/engine/virtual-clock.ts";
import { goldenText, holdsToGolden } from "#test/golden.ts";

const refusal = "store.format-unknown";
const since = "2026-01-31T22:15:00.000Z";
const by = "ops-1-ab12cd";
const rollout = "20260131-221500-ab12";
const means = { clock: new VirtualClock(), random: () => 0.5 };

function of<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw new Error(outcome.failure.code);
  return outcome.value;
}

/** Granted, entered by two of three, broken while one of them was silent. */
function locks(): readonly LockRecord[] {
  const nodes = ["db1", "db2", "db3"];
  const wanted = {
    epoch: 7,
    nonce: "n7",
    scope: "cluster",
    nodes,
    rollout,
    stage: "swap",
    since,
    by,
  } as const;
  const granted = of(grant("账单", undefined, wanted));
  const entered = of(enter("账单", of(enter("账单", granted, wanted, "db1")), wanted, "db2"));
  const request = { reason: "db2 burnt", by: "ann@ops (unproven)", at: "2026-01-31T23:00:00.000Z" };
  const broken = of(breakLock("账单", entered, { ...request, reached: ["db1"], hostsAreOff: true }));
  return [granted, entered, broken];
}

holdsToGolden("a lock", {
  file: "coordinator/nats/lock",
  format: lockFormat,
  made: locks,
  read: (kept) => readStored(lockRecords, "账单", kept),
  refusal,
});

it("the golden lock names its holder", () => {
  const [, entered] = JSON.parse(goldenText("coordinator/nats/lock-format-1.json")) as readonly unknown[];
  const record = readStored(lockRecords, "账单", entered);
  expect(record.entered).toEqual(["db1", "db2"]);
  expect(heldBy("账单", record).facts).toMatchObject({ epoch: "7", nodes: "db1, db2, db3", rollout, since });
});

holdsToGolden("a claim", {
  file: "coordinator/nats/claim",
  format: claimFormat,
  made: () => {
    const taken = of(take("账单", undefined, { rollout, since, by }));
    const back = release(taken, { rollout, since: "2026-02-01T01:00:00.000Z", by });
    return [taken, ...(back === undefined ? [] : [back])];
  },
  read: (kept) => readStored(claimRecords, "账单", kept),
  refusal,
});

holdsToGolden("the leader's record", {
  file: "coordinator/nats/leader",
  format: leaderFormat,
  made: () => {
    const me = { coordinator: by, address: "10.0.0.9:7420" };
    const first = nextLeader(undefined, me, since);
    return [first, nextLeader(first, me, since), resign(first)];
  },
  read: (kept) => readStored(leaderRecords, "leader", kept),
  refusal,
});

holdsToGolden("a node's standing", {
  file: "coordinator/nats/standing",
  format: standingFormat,
  made: async () => {
    const register = memoryRegister<NodeStanding>();
    await new Standings({ register, ...means }).prove("db1", "state-1", "ann@ops (unproven)");
    return [(await register.read("db1"))?.value].filter((each) => each !== undefined);
  },
  read: (kept) => readStored(standingRecords, "db1", kept),
  refusal,
});

const reader = {
  read: (yaml: string, file: string) => {
    const parsed = parseInventory(yaml, file);
    return parsed.ok ? succeed(parsed.value) : fail<never>("inventory.unreadable");
  },
  changes: inventoryChanges,
};

const yamlOf = (cluster: string, first: number) => `format: 1
clusters:
  ${cluster}:
    engine: kwdb
    topology: multi-replica
    deployment: script
    nodes:
${[0, 1, 2].map((n) => `      db${first + n}: { address: "10.0.0.${first + n}:26257" }\n`).join("")}\
    gates: { every: 10s, dwell: 30s, limit: 30m }
    windows: ["Mon-Fri 22:00-05:00 Asia/Shanghai"]
    freeze: 双十一
    settings: { user: kaiwudb }
`;

/** Two files one after the other, and a node taken out: the second file does not name the cluster of the first. */
async function inventories(): Promise<readonly InventoryRecord[]> {
  const register = memoryRegister<InventoryRecord>();
  const book = new InventoryBook(register, reader, { clock: new VirtualClock(), random: () => 0.5 });
  of(await book.store({ name: "fleet.yaml", yaml: yamlOf("账单", 1), prune: false }));
  of(await book.store({ name: "more.yaml", yaml: yamlOf("stock", 4), prune: false }));
  of(await book.removeNode("stock", "db6"));
  return [(await register.read("inventory"))?.value].filter((each) => each !== undefined);
}

holdsToGolden("the inventory in force", {
  file: "coordinator/nats/inventory",
  format: inventoryFormat,
  made: inventories,
  read: (kept) => readStored(inventoryRecords, "inventory", kept),
  refusal,
});

it("the golden inventory brings the fleet back, node by node", async () => {
  const register = memoryRegister<InventoryRecord>();
  const [kept] = JSON.parse(goldenText("coordinator/nats/inventory-format-1.json")) as readonly unknown[];
  await register.swap("inventory", readStored(inventoryRecords, "inventory", kept), 0);
  const book = new InventoryBook(register, reader, { clock: new VirtualClock(), random: () => 0.5 });
  await book.load();
  const nodesOf = (name: string) => book.cluster(name)?.nodes.map((node) => node.name);
  expect(nodesOf("账单")).toEqual(["db1", "db2", "db3"]);
  expect(nodesOf("stock")).toEqual(["db4", "db5"]);
  expect(book.cluster("账单")).toMatchObject({
    gates: { everyMs: 10_000, dwellMs: 30_000, limitMs: 1_800_000 },
    windows: ["Mon-Fri 22:00-05:00 Asia/Shanghai"],
    freeze: "双十一",
    settings: { user: "kaiwudb" },
  });
});

it("an inventory file of a newer format is refused with its place", () => {
  const parsed = parseInventory(yamlOf("账单", 1).replace("format: 1", "format: 2"), "fleet.yaml");
  expect(parsed).toMatchObject({ ok: false, complaints: [{ line: 1 }] });
});
