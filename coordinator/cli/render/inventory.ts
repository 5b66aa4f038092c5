import type { InventoryChange } from "../../engine/orders/inventory-book.ts";

const signs = { added: "+", removed: "-", changed: "~" } as const;

export function renderChanges(changes: readonly InventoryChange[], dryRun: boolean): string {
  if (changes.length === 0) return "no difference";
  const lines = changes.map(({ kind, cluster, node, field, from, to }) => {
    const place = [cluster, node, field].filter((part) => part !== undefined).join(" · ");
    const values =
      kind === "changed"
        ? `: ${from ?? ""} → ${to ?? ""}`
        : to === undefined && from === undefined
          ? ""
          : `: ${to ?? from ?? ""}`;
    return `${signs[kind]} ${place}${values}`;
  });
  return [...lines, dryRun ? "nothing was changed" : "applied"].join("\n");
}
