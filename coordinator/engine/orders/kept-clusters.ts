/** Clusters that are in force and that a newly applied file does not name: they stay until somebody says `prune`. Pure. */
import type { ClusterEntry, Inventory } from "../../domain/inventory.ts";

/** An earlier file, as it was written, and which of its clusters still count. */
export interface KeptFile {
  readonly fileName: string;
  readonly yaml: string;
  readonly clusters: readonly string[];
}

interface FilesInForce {
  readonly fileName: string;
  readonly yaml: string;
  readonly kept: readonly KeptFile[];
}

export function absentFrom(
  { clusters }: Inventory,
  inForce: readonly ClusterEntry[],
): readonly ClusterEntry[] {
  return inForce.filter(({ name }) => !clusters.some((cluster) => cluster.name === name));
}

/** Where the clusters that are kept stand: a cluster that no earlier file has is in the newest. */
export function keptFiles(
  { fileName, yaml, kept }: FilesInForce,
  names: readonly string[],
): readonly KeptFile[] {
  const earlier = new Set(kept.flatMap(({ clusters }) => clusters));
  const files = [{ fileName, yaml, clusters: names.filter((name) => !earlier.has(name)) }, ...kept];
  return files
    .map((file) => ({ ...file, clusters: file.clusters.filter((name) => names.includes(name)) }))
    .filter(({ clusters }) => clusters.length > 0);
}

/** A node's name and its address stand once in the fleet; a file alone is looked at by its schema. */
export function nodeInBoth(
  inFile: readonly ClusterEntry[],
  kept: readonly ClusterEntry[],
): { readonly what: string; readonly cluster: string; readonly kept: string } | undefined {
  const taken = new Map(kept.flatMap((cluster) => placesOf(cluster).map((what) => [what, cluster.name])));
  for (const cluster of inFile)
    for (const what of placesOf(cluster)) {
      const holder = taken.get(what);
      if (holder !== undefined) return { what, cluster: cluster.name, kept: holder };
    }
  return undefined;
}

function placesOf({ nodes }: ClusterEntry): readonly string[] {
  return nodes.flatMap(({ name, address }) => [`node ${name}`, `address ${address}`]);
}
