/** The inventory in force: the YAML that was applied last, kept as written. */
import type { Clock, Random } from "#proto/common/clock.ts";
import { FailureError, fail, failure, type Outcome, succeed } from "#proto/common/failure.ts";
import type { ClusterEntry, Inventory } from "../domain/inventory.ts";
import type { Register } from "./ports.ts";
import { electionLimitMs, readSurely, swapSurely } from "./swap.ts";

export interface InventoryChange {
  readonly kind: "added" | "removed" | "changed";
  readonly cluster: string;
  /** Absent for the cluster as a whole. */
  readonly node?: string;
  readonly field?: string;
  readonly from?: string;
  readonly to?: string;
}

export interface InventoryRecord {
  readonly format: 1;
  readonly fileName: string;
  readonly yaml: string;
  /** Nodes taken out by `cluster remove-node` since the file was applied. */
  readonly removed: readonly { readonly cluster: string; readonly node: string }[];
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

  compare({ yaml, name }: InventoryFile): Outcome<readonly InventoryChange[]> {
    const read = this.#reader.read(yaml, name);
    return read.ok ? succeed(this.#reader.changes(this.#inventory, read.value)) : read;
  }

  async store({ yaml, name }: InventoryFile): Promise<Outcome<readonly InventoryChange[]>> {
    const changes = this.compare({ yaml, name });
    if (!changes.ok) return changes;
    const stored = await this.#write({
      format: 1,
      fileName: name,
      yaml,
      removed: [],
      appliedAt: this.#now(),
    });
    return stored.ok ? changes : stored;
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
    const read = this.#reader.read(record.yaml, record.fileName);
    if (!read.ok) throw new FailureError(failure("store.unreadable", { key, cause: read.failure.code }));
    this.#inventory = without(read.value, record.removed);
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
