/** Orders about the fleet and its locks. Each is recorded in the audit log before it is carried out. */
import { fail, type Outcome } from "#proto/common/failure.ts";
import type { LockView } from "../domain/views.ts";
import type { ApplicationMeans, InventoryFile, LockBreak, NodeRemoval } from "./application-means.ts";
import type { InventoryChange } from "./inventory-book.ts";
import { breakHeldLock } from "./lock-breaking.ts";
import { notLeading } from "./not-leading.ts";

export class FleetOrders {
  readonly #means: ApplicationMeans;
  constructor(means: ApplicationMeans) {
    this.#means = means;
  }

  async applyInventory(by: string, file: InventoryFile): Promise<Outcome<readonly InventoryChange[]>> {
    const changes = this.#means.inventory.compare(file);
    if (!changes.ok || file.dryRun) return changes;
    const refused = notLeading(this.#means) ?? (await this.#touchesOpenRollout(changes.value));
    if (refused !== undefined) return refused;
    await this.#means.audit.record({
      who: by,
      deed: "cluster-apply",
      subject: file.name,
      reason: "",
      facts: { changes: String(changes.value.length) },
    });
    return this.#means.inventory.store(file);
  }

  /** Nodes of a claimed cluster may not come or go under a running rollout. */
  async #touchesOpenRollout(changes: readonly InventoryChange[]): Promise<Outcome<never> | undefined> {
    for (const { cluster, kind, node, field } of changes) {
      if (
        node === undefined &&
        field !== undefined &&
        kind === "changed" &&
        ["freeze", "windows", "gates"].includes(field)
      )
        continue;
      const holder = await this.#means.claims.holder(cluster);
      if (holder !== undefined && holder.rollout !== "")
        return fail("claim.held", { cluster, rollout: holder.rollout, by: holder.by, since: holder.since });
    }
    return undefined;
  }

  async removeNode(by: string, { cluster, node, reason }: NodeRemoval): Promise<Outcome<void>> {
    const refused = notLeading(this.#means);
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
