/** The difference between two inventories, cluster by cluster and node by node. Pure. */
import type { ClusterEntry, Inventory } from "../domain/inventory.ts";
import type { InventoryChange } from "../engine/orders/inventory-book.ts";

export function inventoryChanges(from: Inventory | undefined, to: Inventory): readonly InventoryChange[] {
  const before = new Map((from?.clusters ?? []).map((cluster) => [cluster.name, cluster]));
  const after = new Map(to.clusters.map((cluster) => [cluster.name, cluster]));
  const names = [...new Set([...before.keys(), ...after.keys()])];
  return names.flatMap((cluster) => {
    const left = before.get(cluster);
    const right = after.get(cluster);
    if (left === undefined) return [{ kind: "added" as const, cluster }];
    if (right === undefined) return [{ kind: "removed" as const, cluster }];
    return [...fieldChanges(left, right), ...nodeChanges(left, right)];
  });
}

function fieldChanges(left: ClusterEntry, right: ClusterEntry): readonly InventoryChange[] {
  const { nodes: _leftNodes, ...leftFields } = left;
  const { nodes: _rightNodes, ...rightFields } = right;
  const before: Record<string, unknown> = leftFields;
  const after: Record<string, unknown> = rightFields;
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .map((field) => ({ field, from: show(before[field]), to: show(after[field]) }))
    .filter(({ from, to }) => from !== to)
    .map((change) => ({ kind: "changed" as const, cluster: left.name, ...change }));
}

function nodeChanges(left: ClusterEntry, right: ClusterEntry): readonly InventoryChange[] {
  const cluster = left.name;
  const before = new Map(left.nodes.map(({ name, address }) => [name, address]));
  const after = new Map(right.nodes.map(({ name, address }) => [name, address]));
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((node): readonly InventoryChange[] => {
    const from = before.get(node);
    const to = after.get(node);
    if (from === undefined) return [{ kind: "added", cluster, node, to: to ?? "" }];
    if (to === undefined) return [{ kind: "removed", cluster, node, from }];
    return from === to ? [] : [{ kind: "changed", cluster, node, field: "address", from, to }];
  });
}

function show(value: unknown): string {
  return value === undefined ? "(none)" : typeof value === "string" ? value : JSON.stringify(value);
}
