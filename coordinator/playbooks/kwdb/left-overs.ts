/** What an online upgrade done by hand leaves behind when it does not come to its end: found, by check and by the mending. */
import { known } from "#proto/common/measured.ts";
import { intervalMs } from "#proto/engines/kwdb-interval.ts";
import type { NodeEntry } from "../../domain/inventory.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import { sqlAddress } from "./address.ts";
import { fullOf, ownRow } from "./facts.ts";
import { storeDead } from "./store-dead.ts";

/** What `kwbase node upgrade` sets it to, and what `--upgrade-complete` sets it to afterwards, whatever it was. */
export const leftStoreDead = "3h";
export const defaultStoreDead = "30m";

/** The node has the mark of an upgrade by the word of any: its own page of the cluster may be the only one, or lack it. */
export function isMarkedUpgrading(input: PlaybookInput, node: NodeEntry): boolean {
  const address = sqlAddress(input, node);
  return Object.values(input.reports).some(
    (report) => ownRow(known(fullOf(report)?.nodes) ?? [], address)?.upgrading === true,
  );
}

export function hasFlag({ reports }: PlaybookInput, { name }: NodeEntry): boolean {
  return known(fullOf(reports[name])?.upgradeCompleteFlag) === true;
}

/** As the first node shows it that answers. */
export function shownStoreDead({ cluster, reports }: PlaybookInput): string | undefined {
  return cluster.nodes.flatMap(({ name }) => known(fullOf(reports[name])?.settings)?.[storeDead] ?? [])[0];
}

export function isLeftStoreDead(shown: string | undefined): boolean {
  return shown !== undefined && intervalMs(shown) === intervalMs(leftStoreDead);
}

/** As it is written into SQL. */
export function secondsOf(shown: string | undefined): string | undefined {
  const ms = shown === undefined ? undefined : intervalMs(shown);
  return ms === undefined ? undefined : `${Math.round(ms / 1_000)}s`;
}
