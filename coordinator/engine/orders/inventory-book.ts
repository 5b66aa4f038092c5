/**
 * The inventory in force: the YAML that was applied last, as it was written, and the clusters of earlier files that
 * it does not name. Only a file applied with `prune` takes a cluster out.
 */
import type { Clock, Random } from "#proto/common/clock.ts";
import { FailureError, fail, failure, type Outcome, succeed } from "#proto/common/failure.ts";
import type { ClusterEntry, Inventory } from "../../domain/inventory.ts";
import { electionLimitMs, readSurely, swapSurely } from "../lock/swap.ts";
import type { Register } from "../ports.ts";
import { absentFrom, type KeptFile, keptFiles, nodeInBoth } from "./kept-clusters.ts";

export interface InventoryChange {
  readonly kind: "added" | "removed" | "changed";
  readonly cluster: string;
  /** Absent for the cluster as a whole. */
  readonly node?: string;
  readonly field?: string;
  readonly from?: string;
  readonly to?: string;
}

/** Of the record; the YAML in it has a number of its own. */
export const inventoryFormat = 1;

export interface InventoryRecord {
  readonly format: typeof inventoryFormat;
  readonly fileName: string;
  readonly yaml: string;
  /** Nodes taken out by `cluster remove-node` since the file was applied. */
  readonly removed: readonly { readonly cluster: string; readonly node: string }[];
  /** Earlier files, for those of their clusters that no later file names. */
  readonly kept: readonly KeptFile[];
  readonly appliedAt: string;
}

/** How YAML is read and compared; given by the composition root, since parsing is not the engine's business. */
export interface InventoryReader {
  read(yaml: string, fileName: string): Outcome<Inventory>;
  changes(from: Inventory | undefined, to: Inventory): readonly InventoryChange[];
}

const key = "inventory";

export interface InventoryFile {
  readonly name: string;
  readonly yaml: string;
  /** Clusters that the file does not name are removed, not kept. */
  readonly prune: boolean;
}

export interface InventoryComparison {
  readonly changes: readonly InventoryChange[];
  /** Clusters that the file does not name and that stay. */
  readonly kept: readonly string[];
}

export class InventoryBook {
  readonly #register: Register<InventoryRecord>;
  readonly #reader: InventoryReader;
  readonly #means: { readonly clock: Clock; readonly random: Random };
  #inventory: Inventory | undefined;
  #record: InventoryRecord | undefined;

  constructor(
    register: Register<InventoryRecord>,
    reader: InventoryReader,
    means: { readonly clock: Clock; readonly random: Random },
  ) {
    this.#register = register;
    this.#reader = reader;
    this.#means = means;
  }

  /** Reads what is in force; called when leadership changes and before answering after a start. */
  async load(): Promise<void> {
    const found = await readSurely(this.#register, key, { ...this.#means, limitMs: electionLimitMs });
    this.#keep(found?.value);
  }

  clusters(): readonly ClusterEntry[] {
    return this.#inventory?.clusters ?? [];
  }

  cluster(name: string): ClusterEntry | undefined {
    return this.clusters().find((cluster) => cluster.name === name);
  }

  clusterOf(node: string): ClusterEntry | undefined {
    return this.clusters().find(({ nodes }) => nodes.some(({ name }) => name === node));
  }

  /** Refused: `inventory.unreadable`, `inventory.node-kept` (in the file, and in a cluster that is kept). */
  compare({ yaml, name, prune }: InventoryFile): Outcome<InventoryComparison> {
    const read = this.#reader.read(yaml, name);
    if (!read.ok) return read;
    const kept = prune ? [] : absentFrom(read.value, this.clusters());
    const twice = nodeInBoth(read.value.clusters, kept);
    if (twice !== undefined) return fail("inventory.node-kept", { ...twice, file: name });
    const next = { ...read.value, clusters: [...read.value.clusters, ...kept] };
    return succeed({
      changes: this.#reader.changes(this.#inventory, next),
      kept: kept.map((cluster) => cluster.name),
    });
  }

  async store(file: InventoryFile): Promise<Outcome<InventoryComparison>> {
    const compared = this.compare(file);
    if (!compared.ok) return compared;
    const { kept } = compared.value;
    const before = this.#record;
    const stored = await this.#write({
      format: inventoryFormat,
      fileName: file.name,
      yaml: file.yaml,
      removed: before?.removed.filter(({ cluster }) => kept.includes(cluster)) ?? [],
      kept: before === undefined ? [] : keptFiles(before, kept),
      appliedAt: this.#now(),
    });
    return stored.ok ? compared : stored;
  }

  async removeNode(cluster: string, node: string): Promise<Outcome<void>> {
    const entry = this.cluster(cluster);
    if (this.#record === undefined || entry === undefined) return fail("cluster.unknown", { cluster });
    if (!entry.nodes.some(({ name }) => name === node)) return fail("node.unknown", { node });
    return this.#write({ ...this.#record, removed: [...this.#record.removed, { cluster, node }] });
  }

  async #write(next: InventoryRecord): Promise<Outcome<void>> {
    const means = { ...this.#means, limitMs: electionLimitMs };
    const before = await readSurely(this.#register, key, means);
    const wanted = JSON.stringify(next);
    const written = await swapSurely(
      this.#register,
      { key, before, next, isOurs: (found) => JSON.stringify(found) === wanted },
      means,
    );
    if (!written.ok) return written;
    this.#keep(next);
    return succeed(undefined);
  }

  #keep(record: InventoryRecord | undefined): void {
    this.#record = record;
    if (record === undefined) return;
    const inventory = this.#read(record);
    const kept = record.kept.flatMap((file) =>
      this.#read(file).clusters.filter(({ name }) => file.clusters.includes(name)),
    );
    this.#inventory = without({ ...inventory, clusters: [...inventory.clusters, ...kept] }, record.removed);
  }

  #read({ yaml, fileName }: Pick<InventoryRecord, "yaml" | "fileName">): Inventory {
    const read = this.#reader.read(yaml, fileName);
    if (!read.ok) throw new FailureError(failure("store.unreadable", { key, cause: read.failure.code }));
    return read.value;
  }

  #now(): string {
    return new Date(this.#means.clock.now()).toISOString();
  }
}

function without(inventory: Inventory, removed: InventoryRecord["removed"]): Inventory {
  const isGone = (cluster: string, node: string) =>
    removed.some((each) => each.cluster === cluster && each.node === node);
  const clusters = inventory.clusters.map((cluster) => ({
    ...cluster,
    nodes: cluster.nodes.filter(({ name }) => !isGone(cluster.name, name)),
  }));
  return { ...inventory, clusters };
}
