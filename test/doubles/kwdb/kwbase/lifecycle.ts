/** What an operator does to a node: drain, upgrade mark and its end, decommission. */
import { setTimeout as sleep } from "node:timers/promises";
import { CliError } from "./cli-error.ts";
import { knobNumber, readKnobs } from "./knobs.ts";
import type { ClusterNode } from "./node.ts";
import { livenessStatus, periods, rangesIn } from "./records.ts";

/** Moves the leases away; says how many are left, ending with 0. The mark goes with the next start. */
export async function* drain(node: ClusterNode): AsyncGenerator<number> {
  const id = node.nodeId;
  const held = () => rangesIn(node.view()).filter((range) => range.leaseHolder === id).length;
  if (node.self?.draining !== true) {
    yield held() + 1;
    await node.mark(id, { draining: true });
    await sleep(knobNumber(readKnobs(node.options.root), "drain_ms", 500 * node.scale));
  }
  for (let rounds = 0; held() > 0 && rounds < 3; rounds += 1) await sleep(periods.beat * node.scale);
  yield 0;
}

const statusesOf = (node: ClusterNode) =>
  node.view().records.map((record) => livenessStatus(record, Date.now()));

/** Refused unless every node is live or decommissioned. Drains nothing. */
export async function startUpgrade(node: ClusterNode, ids: readonly number[]): Promise<void> {
  const unfit = statusesOf(node).find((status) => status !== "LIVE" && status !== "DECOMMISSIONED");
  if (unfit !== undefined) throw new CliError(`can not upgrade nodes when cluster has node ${unfit}`);
  for (const id of ids) await node.mark(id, { upgrading: true });
  await node.set("server.time_until_store_dead", "3h");
}

/** `--upgrade-complete`: nothing unless the node is marked; a setting that was customised is lost. */
export async function completeUpgrade(node: ClusterNode): Promise<void> {
  if (node.self?.upgrading !== true || !node.live) return;
  await node.mark(node.nodeId, { upgrading: false });
  await node.set("server.time_until_store_dead", "30m");
}

export async function decommission(node: ClusterNode, ids: readonly number[]): Promise<void> {
  if (statusesOf(node).includes("UPGRADING")) {
    throw new CliError("can not run node decommission when cluster has node UPGRADING");
  }
  for (const id of ids) await node.mark(id, { membership: "decommissioned" });
}
