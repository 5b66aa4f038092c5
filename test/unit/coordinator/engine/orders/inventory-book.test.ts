import { describe, expect, it } from "vitest";
import { InventoryBook, type InventoryRecord } from "#coordinator/engine/orders/inventory-book.ts";
import { inventoryChanges } from "#coordinator/inventory/change.ts";
import { parseInventory } from "#coordinator/inventory/parse.ts";
import { inventoryRecords } from "#coordinator/nats/records.ts";
import { fail, succeed } from "#proto/common/failure.ts";
import { memoryRegister } from "#test/doubles/memory/register.ts";
import { VirtualClock } from "#test/flow/engine/virtual-clock.ts";

const reader = {
  read: (text: string, name: string) => {
    const parsed = parseInventory(text, name);
    return parsed.ok ? succeed(parsed.value) : fail<never>("inventory.unreadable");
  },
  changes: inventoryChanges,
};

function fileOf(clusters: Readonly<Record<string, readonly string[]>>, prune = false) {
  const yaml = Object.entries(clusters).map(
    ([name, nodes]) =>
      `  ${name}:\n    engine: kwdb\n    topology: multi-replica\n    nodes:\n${nodes.map((node) => `      ${node}: { address: "${node}.host" }\n`).join("")}`,
  );
  return { name: `${Object.keys(clusters).join("-")}.yaml`, yaml: `clusters:\n${yaml.join("")}`, prune };
}

function shelf() {
  const register = memoryRegister<InventoryRecord>();
  /** As another coordinator, or this one after a restart, reads it. */
  const open = async () => {
    const book = new InventoryBook(register, reader, { clock: new VirtualClock(), random: () => 0 });
    await book.load();
    return book;
  };
  return { register, open };
}

const inForce = (book: InventoryBook) =>
  Object.fromEntries(book.clusters().map(({ name, nodes }) => [name, nodes.map((node) => node.name)]));

describe("a cluster that the applied file does not name", () => {
  it("stays, is named, and is no change", async () => {
    const { open } = shelf();
    const book = await open();
    await book.store(fileOf({ billing: ["db1"], payroll: ["db2"] }));
    expect(await book.store(fileOf({ payroll: ["db2"] }))).toEqual(
      succeed({ changes: [], kept: ["billing"] }),
    );
    expect(inForce(book)).toEqual({ payroll: ["db2"], billing: ["db1"] });
    expect(inForce(await open())).toEqual(inForce(book));
  });

  it("stays over many files, as it was written last, until it is named again", async () => {
    const { open, register } = shelf();
    const book = await open();
    await book.store(fileOf({ billing: ["db1", "db9"] }));
    await book.removeNode("billing", "db9");
    await book.store(fileOf({ payroll: ["db2"] }));
    expect(await book.store(fileOf({ stock: ["db3"] }))).toMatchObject({
      value: { kept: ["payroll", "billing"] },
    });
    expect(inForce(await open())).toEqual({ stock: ["db3"], payroll: ["db2"], billing: ["db1"] });
    await book.store(fileOf({ billing: ["db1", "db4"], payroll: ["db2"] }));
    expect(inForce(await open())).toEqual({ billing: ["db1", "db4"], payroll: ["db2"], stock: ["db3"] });
    expect((await register.read("inventory"))?.value.kept.map(({ clusters }) => clusters)).toEqual([
      ["stock"],
    ]);
  });

  it("goes where the file is applied with prune", async () => {
    const { open } = shelf();
    const book = await open();
    await book.store(fileOf({ billing: ["db1"], payroll: ["db2"] }));
    await book.store(fileOf({ payroll: ["db2"] }));
    const removed = { kind: "removed", cluster: "billing" };
    expect(await book.store(fileOf({ payroll: ["db2"] }, true))).toEqual(
      succeed({ changes: [removed], kept: [] }),
    );
    expect(inForce(await open())).toEqual({ payroll: ["db2"] });
  });

  it("cannot share a node with a cluster of the file", async () => {
    const { open } = shelf();
    const book = await open();
    await book.store(fileOf({ billing: ["db1"] }));
    const renamed = { bills: ["db1"] };
    const facts = { what: "node db1", cluster: "bills", kept: "billing", file: "bills.yaml" };
    expect(await book.store(fileOf(renamed))).toEqual(fail("inventory.node-kept", facts));
    expect(inForce(book)).toEqual({ billing: ["db1"] });
    expect(await book.store(fileOf(renamed, true))).toMatchObject({ ok: true });
    expect(inForce(await open())).toEqual(renamed);
  });

  it("is none in a record that knows of none", () => {
    const { name: fileName, yaml } = fileOf({ billing: ["db1"] });
    const older = { format: 1, fileName, yaml, removed: [], appliedAt: "t" };
    expect(inventoryRecords.schema.parse(older)).toEqual({ ...older, kept: [] });
  });
});
