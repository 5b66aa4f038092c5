/** Orders about the fleet and its locks. Each is recorded in the audit log before it is carried out. */
import { fail, type Outcome } from "#proto/common/failure.ts";
import type { LockView } from "../../domain/views.ts";
import { breakHeldLock } from "../lock/lock-breaking.ts";
import type { ApplicationMeans, InventoryFile, LockBreak, NodeRemoval } from "./application-means.ts";
import type { InventoryChange, InventoryComparison } from "./inventory-book.ts";
import { notLeading } from "./not-leading.ts";

export class FleetOrders {
  readonly #means: ApplicationMeans;
  constructor(means: ApplicationMeans) {
    this.#means = means;
  }

  async applyInventory(by: string, file: InventoryFile): Promise<Outcome<InventoryComparison>> {
    const compared = this.#means.inventory.compare(file);
    if (!compared.ok || file.dryRun) return compared;
    const { changes } = compared.value;
    const refused = notLeading(this.#means) ?? (await this.#touchesOpenRollout(changes));
    if (refused !== undefined) return refused;
    await this.#means.audit.record({
      who: by,
      deed: "cluster-apply",
      subject: file.name,
      reason: "",
      facts: { changes: String(changes.length), removed: removedClusters(changes).join(", ") },
    });
    return this.#means.inventory.store(file);
  }

  /** The first change of what the plan of an open rollout is bound to. */
  async #touchesOpenRollout(changes: readonly InventoryChange[]): Promise<Outcome<never> | undefined> {
    for (const change of changes.filter(isBound)) {
      const refused = await this.#boundBy(change.cluster, whatOf(change));
      if (refused !== undefined) return refused;
    }
    return undefined;
  }

  async #boundBy(cluster: string, what: string): Promise<Outcome<never> | undefined> {
    const holder = await this.#means.claims.holder(cluster);
    if (holder === undefined || holder.rollout === "") return undefined;
    const { rollout, by, since } = holder;
    return fail("claim.binds", { what, cluster, rollout, by, since });
  }

  async removeNode(by: string, { cluster, node, reason }: NodeRemoval): Promise<Outcome<void>> {
    const refused = notLeading(this.#means) ?? (await this.#boundBy(cluster, `node ${node}`));
    if (refused !== undefined) return refused;
    if (this.#means.fleet.presence(node) !== undefined) return fail("node.still-attached", { cluster, node });
    await this.#means.audit.record({
      who: by,
      deed: "remove-node",
      subject: `${cluster}/${node}`,
      reason,
      facts: {},
    });
    return this.#means.inventory.removeNode(cluster, node);
  }

  async breakLock(by: string, wish: LockBreak): Promise<Outcome<LockView>> {
    return notLeading(this.#means) ?? breakHeldLock(this.#means, by, wish);
  }
}

/** When a node may be started is asked anew before each; all else of a cluster is in its plan. */
const free: ReadonlySet<string> = new Set(["freeze", "windows"]);

function isBound({ kind, node, field }: InventoryChange): boolean {
  return kind !== "changed" || node !== undefined || field === undefined || !free.has(field);
}

function removedClusters(changes: readonly InventoryChange[]): readonly string[] {
  return changes.flatMap(({ kind, node, cluster }) =>
    kind === "removed" && node === undefined ? [cluster] : [],
  );
}

function whatOf({ kind, node, field }: InventoryChange): string {
  if (node !== undefined) return kind === "changed" ? `${field ?? "entry"} of ${node}` : `node ${node}`;
  return field ?? "the cluster itself";
}
