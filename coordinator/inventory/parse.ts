/** Inventory text to inventory: nothing is applied while there is a complaint. */
import { parseDuration } from "#proto/common/duration.ts";
import { readSettings, type SettingsRead } from "#proto/common/settings-file.ts";
import type { ClusterEntry, GatePolicy, Inventory } from "../domain/inventory.ts";
import { type InventoryDocument, inventorySchema } from "./schema.ts";

export function parseInventory(text: string, file: string): SettingsRead<Inventory> {
  const read = readSettings(text, file, inventorySchema);
  return read.ok ? { ok: true, value: toInventory(read.value) } : read;
}

function toInventory(parsed: InventoryDocument): Inventory {
  return {
    format: 1,
    clusters: Object.entries(parsed.clusters).map(([name, cluster]): ClusterEntry => {
      const { freeze, gates, nodes, settings, ...rest } = cluster;
      return {
        name,
        ...rest,
        nodes: Object.entries(nodes).map(([node, { address }]) => ({ name: node, address })),
        gates: toPolicy(gates),
        settings: Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, String(value)])),
        ...(freeze === undefined ? {} : { freeze }),
      };
    }),
  };
}

function toPolicy(gates: InventoryDocument["clusters"][string]["gates"]): GatePolicy {
  return { everyMs: ms(gates.every), dwellMs: ms(gates.dwell), limitMs: ms(gates.limit) };
}

function ms(text: string): number {
  const parsed = parseDuration(text);
  return parsed.ok ? parsed.value : 0;
}
