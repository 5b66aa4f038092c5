/** The two sides of a move: the old cluster, whose input it is, and the new one. */
import { known } from "#proto/common/measured.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import { fullOf } from "./facts.ts";

export const moveMethod = "export-import";

/** Whoever names a cluster to go into, the method or its strategy means this way. */
export function isMove({ wish }: Pick<PlaybookInput, "wish">): boolean {
  return wish.method === moveMethod || wish.strategy === "move" || wish.into !== undefined;
}

/** The new cluster, seen as an input of its own. */
export function youngOf({ into, wish, nowMs }: PlaybookInput): PlaybookInput | undefined {
  return into === undefined ? undefined : { ...into, wish, nowMs };
}

/** The node that exports, or imports: the first of the cluster's entry. */
export function firstNode({ cluster }: PlaybookInput): PlaybookInput["cluster"]["nodes"][number] | undefined {
  return cluster.nodes[0];
}

export function databasesOf(input: PlaybookInput): readonly string[] | undefined {
  const node = firstNode(input);
  return node === undefined ? undefined : known(fullOf(input.reports[node.name])?.databases);
}
