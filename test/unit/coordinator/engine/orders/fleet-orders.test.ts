import { describe, expect, it } from "vitest";
import type { ClaimRecord } from "#coordinator/domain/claim.ts";
import type { ApplicationMeans } from "#coordinator/engine/orders/application-means.ts";
import { FleetOrders } from "#coordinator/engine/orders/fleet-orders.ts";
import { InventoryBook, type InventoryRecord } from "#coordinator/engine/orders/inventory-book.ts";
import { inventoryChanges } from "#coordinator/inventory/change.ts";
import { parseInventory } from "#coordinator/inventory/parse.ts";
import { playbooks } from "#coordinator/playbooks/index.ts";
import { fail, succeed } from "#proto/common/failure.ts";
import { memoryRegister } from "#test/doubles/memory/register.ts";
import { VirtualClock } from "#test/flow/engine/virtual-clock.ts";

const yaml = `clusters:
  billing:
    engine: kwdb
    topology: multi-replica
    deployment: script
    nodes:
      db1: { address: 10.0.0.1 }
      db2: { address: 10.0.0.2 }
    gates: { every: 5s, dwell: 30s, limit: 10m }
    settings: { user: kwdb }
    windows: ["22:00-05:00"]
`;

/** Every field of a cluster that a file can change, and how. */
const edits: Readonly<Record<string, readonly [string, string]>> = {
  topology: ["multi-replica", "single-replica"],
  deployment: ["deployment: script", "deployment: container"],
  "db2's address": ["10.0.0.2", "10.0.0.9"],
  "a node that comes": ["      db2:", "      db3: { address: 10.0.0.3 }\n      db2:"],
  "a node that goes": ["      db2: { address: 10.0.0.2 }\n", ""],
  gates: ["dwell: 30s", "dwell: 1s"],
  settings: ["user: kwdb", "user: root"],
  "the whole cluster": ["  billing:", "  payroll:"],
  windows: ["22:00-05:00", "23:00-05:00"],
  freeze: ["    engine:", "    freeze: year end\n    engine:"],
};

async function orders(rollout = "r1") {
  const clock = new VirtualClock();
  const reader = {
    read: (text: string, name: string) => {
      const parsed = parseInventory(text, name);
      return parsed.ok ? succeed(parsed.value) : fail<never>("inventory.unreadable");
    },
    changes: inventoryChanges,
  };
  const inventory = new InventoryBook(memoryRegister<InventoryRecord>(), reader, { clock, random: () => 0 });
  await inventory.store({ name: "fleet.yaml", yaml, prune: false });
  const claim: ClaimRecord = { format: 1, rollout, since: "t0", by: "ann" };
  const deeds: unknown[] = [];
  const means = {
    inventory,
    leader: () => ({ leads: true, address: "" }),
    claims: { holder: async (cluster: string) => (cluster === "billing" ? claim : undefined) },
    audit: { record: async (deed: unknown) => void deeds.push(deed) },
    fleet: { presence: () => undefined },
  } as unknown as ApplicationMeans;
  return { fleet: new FleetOrders(means), inventory, deeds };
}

/** What a plan of the cluster is bound to, of the inventory's part. */
function boundTo(inventory: InventoryBook): string {
  const cluster = inventory.cluster("billing");
  if (cluster === undefined) return "gone";
  const input = { cluster, wish: { to: "3.1.0" }, reports: {}, nowMs: 0, clockOffsets: {} };
  return JSON.stringify(playbooks["kwdb"]?.fingerprint(input));
}

function edited(edit: string): string {
  const [from = "", to = ""] = edits[edit] ?? [];
  expect(yaml).toContain(from);
  return yaml.replace(from, to);
}

const apply = (fleet: FleetOrders, text: string) =>
  fleet.applyInventory("bob", { name: "fleet.yaml", yaml: text, prune: true, dryRun: false });

describe("a change of the inventory under a rollout", () => {
  it.each(Object.keys(edits))(
    "%s: refused where the rollout's plan is bound to it, and only there",
    async (edit) => {
      const free = await orders("");
      const before = boundTo(free.inventory);
      expect((await apply(free.fleet, edited(edit))).ok).toBe(true);
      const isBound = boundTo(free.inventory) !== before;
      const held = await orders();
      const applied = await apply(held.fleet, edited(edit));
      expect(applied.ok).toBe(!isBound);
      expect(boundTo(held.inventory)).toBe(before);
      expect(held.deeds).toHaveLength(isBound ? 0 : 1);
    },
  );

  it("says what may not change, of which cluster, who holds it", async () => {
    const { fleet } = await orders();
    expect(await apply(fleet, edited("gates"))).toEqual(
      fail("claim.binds", { what: "gates", cluster: "billing", rollout: "r1", by: "ann", since: "t0" }),
    );
    expect(await apply(fleet, edited("a node that goes"))).toMatchObject({
      failure: { facts: { what: "node db2" } },
    });
    expect(await apply(fleet, edited("db2's address"))).toMatchObject({
      failure: { facts: { what: "address of db2" } },
    });
    expect(await apply(fleet, edited("the whole cluster"))).toMatchObject({
      failure: { facts: { what: "the cluster itself" } },
    });
  });

  it("refuses the bound part also in company of what may change", async () => {
    const { fleet, inventory } = await orders();
    const text = edited("windows").replace(...(edits["gates"] as [string, string]));
    expect(await apply(fleet, text)).toMatchObject({ failure: { code: "claim.binds" } });
    expect(inventory.cluster("billing")?.windows).toEqual(["22:00-05:00"]);
  });

  it("shows what a file would change, without asking who holds what", async () => {
    const { fleet } = await orders();
    const file = { name: "f", yaml: edited("gates"), prune: false, dryRun: true };
    const dry = await fleet.applyInventory("bob", file);
    expect(dry).toMatchObject({ ok: true, value: { changes: [{ field: "gates" }], kept: [] } });
  });

  it("does not take a node out either", async () => {
    const held = await orders();
    const wish = { cluster: "billing", node: "db2", reason: "burnt" };
    expect(await held.fleet.removeNode("bob", wish)).toEqual(
      fail("claim.binds", { what: "node db2", cluster: "billing", rollout: "r1", by: "ann", since: "t0" }),
    );
    expect(held.deeds).toEqual([]);
    const free = await orders("");
    expect(await free.fleet.removeNode("bob", wish)).toMatchObject({ ok: true });
  });
});
