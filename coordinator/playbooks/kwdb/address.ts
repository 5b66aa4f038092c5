import { known } from "#proto/common/measured.ts";
import type { NodeEntry } from "../../domain/inventory.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import { fullOf } from "./facts.ts";

/**
 * As its peers know it: the inventory's address, with the port that the node's own MODE file names. One in
 * a container of the operator's own says itself where it is.
 */
export function sqlAddress({ reports }: PlaybookInput, { name, address }: NodeEntry): string {
  const mode = known(fullOf(reports[name])?.mode);
  if (mode?.advertised !== undefined) return mode.advertised;
  return /:\d+$/.test(address) ? address : `${address}:${mode?.sqlPort ?? 26257}`;
}

/** `host:port` of the page on which it says whether it is ready. */
export function pageAddress(input: PlaybookInput, node: NodeEntry): string {
  const mode = known(fullOf(input.reports[node.name])?.mode);
  return `${sqlAddress(input, node).replace(/:\d+$/, "")}:${mode?.httpPort ?? 8080}`;
}
