import { known } from "#proto/common/measured.ts";
import type { NodeEntry } from "../../domain/inventory.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import { fullOf } from "./facts.ts";

/** As its peers know it: the inventory's address, with the port that the node's own MODE file names. */
export function sqlAddress({ reports }: PlaybookInput, { name, address }: NodeEntry): string {
  if (/:\d+$/.test(address)) return address;
  return `${address}:${known(fullOf(reports[name])?.mode)?.sqlPort ?? 26257}`;
}
