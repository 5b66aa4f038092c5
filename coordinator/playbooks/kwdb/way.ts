/** Which way a cluster goes to a version: node by node while it serves, or stopped as a whole. */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";

export type Way = "rolling" | "offline";

/**
 * Versions may serve mixed only where each range has copies on several nodes, so a rolling upgrade is for multi-replica
 * clusters alone. Refused: `kwdb.deployment-not-served`, `kwdb.method-not-served`, `kwdb.strategy-not-served`.
 */
export function wayOf({ cluster, wish }: Pick<PlaybookInput, "cluster" | "wish">): Outcome<Way> {
  const { name, topology, deployment } = cluster;
  const facts = { cluster: name, topology, deployment };
  if (deployment !== "script") return fail("kwdb.deployment-not-served", facts);
  if (wish.method !== undefined && wish.method !== "script")
    return fail("kwdb.method-not-served", { ...facts, method: wish.method });
  const open: readonly Way[] = topology === "multi-replica" ? ["rolling", "offline"] : ["offline"];
  const way = open.find((each) => wish.strategy === undefined || each === wish.strategy);
  return way === undefined
    ? fail("kwdb.strategy-not-served", { ...facts, strategy: wish.strategy ?? "", open: open.join(" or ") })
    : succeed(way);
}
