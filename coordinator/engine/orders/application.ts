/**
 * The coordinator as its users see it: every order and every question, with refusals as values. Orders are
 * recorded in the audit log before they are carried out.
 */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { AuditEnds, AuditEntry } from "../../domain/audit.ts";
import type { CheckResult, Word } from "../../domain/check.ts";
import type { LeftOversView } from "../../domain/left-overs.ts";
import type { Plan } from "../../domain/plan.ts";
import type { RolloutEvent } from "../../domain/rollout/event.ts";
import type { Snapshot, SnapshotHead } from "../../domain/snapshot/snapshot.ts";
import type { FleetView, LockView, RolloutView, WhyView } from "../../domain/views.ts";
import type { OpenRollout } from "../snapshots.ts";
import type {
  ApplicationMeans,
  ApplyWish,
  Begun,
  InventoryFile,
  LockBreak,
  NodeRemoval,
  OrderWish,
  RolloutFilter,
} from "./application-means.ts";
import { FleetOrders } from "./fleet-orders.ts";
import { Inquiries } from "./inquiries.ts";
import type { InventoryComparison } from "./inventory-book.ts";
import { leftOvers } from "./left-overs.ts";
import type { BackWish, Choice } from "./planning.ts";
import { RolloutOrders } from "./rollout-orders.ts";
import type { WantedTarget } from "./target.ts";

export class Application {
  readonly #means: ApplicationMeans;
  readonly #inquiries: Inquiries;
  readonly #fleet: FleetOrders;
  readonly #rollouts: RolloutOrders;

  constructor(means: ApplicationMeans) {
    this.#means = means;
    this.#inquiries = new Inquiries(means);
    this.#fleet = new FleetOrders(means);
    this.#rollouts = new RolloutOrders(means, this.#inquiries);
  }

  applyInventory(by: string, file: InventoryFile): Promise<Outcome<InventoryComparison>> {
    return this.#fleet.applyInventory(by, file);
  }

  removeNode(by: string, wish: NodeRemoval): Promise<Outcome<void>> {
    return this.#fleet.removeNode(by, wish);
  }

  breakLock(by: string, wish: LockBreak): Promise<Outcome<LockView>> {
    return this.#fleet.breakLock(by, wish);
  }

  apply(by: string, wish: ApplyWish): Promise<Outcome<Begun>> {
    return this.#rollouts.apply(by, wish);
  }

  steer(by: string, wish: OrderWish): Promise<Outcome<void>> {
    return this.#rollouts.steer(by, wish);
  }

  fleet(cluster?: string): Promise<Outcome<FleetView>> {
    return this.#inquiries.fleet(cluster);
  }

  wordsInForce(cluster: string): readonly Word[] {
    return this.#inquiries.wordsInForce(cluster);
  }

  openRollouts(): Promise<readonly OpenRollout[]> {
    return this.#inquiries.openRollouts();
  }

  rollouts(filter: RolloutFilter): Promise<Outcome<readonly RolloutView[]>> {
    return this.#inquiries.rollouts(filter);
  }

  rollout(name: string): Promise<Outcome<RolloutView>> {
    return this.#inquiries.rollout(name);
  }

  watch(...from: Parameters<Inquiries["watch"]>): AsyncIterable<RolloutEvent> {
    return this.#inquiries.watch(...from);
  }

  why(name: string): Promise<Outcome<WhyView>> {
    return this.#inquiries.why(name);
  }

  locks(cluster?: string): Promise<Outcome<readonly LockView[]>> {
    return this.#inquiries.locks(cluster);
  }

  async leftOvers(cluster?: string): Promise<Outcome<readonly LeftOversView[]>> {
    const open = (await this.#inquiries.openRollouts()).map(({ id }) => id);
    return leftOvers(this.#means, open, cluster);
  }

  check(target: WantedTarget): Promise<Outcome<readonly CheckResult[]>> {
    return this.#means.planning.check(target);
  }

  makePlan(target: WantedTarget): Promise<Outcome<Choice>> {
    return this.#means.planning.choose(target);
  }

  makePlanToMend(cluster: string, mend: Readonly<Record<string, string>>): Promise<Outcome<Plan>> {
    return this.#means.planning.planMend(cluster, mend);
  }

  async makePlanBack(rollout: string, wish: BackWish = {}): Promise<Outcome<Plan>> {
    const state = await this.#inquiries.find(rollout);
    return state === undefined
      ? this.#inquiries.noRollout(rollout)
      : this.#means.planning.planBack(state, wish);
  }

  async takeSnapshot(
    by: string,
    { cluster, reason }: { readonly cluster?: string; readonly reason: string },
  ): Promise<Outcome<Snapshot>> {
    const entries = this.#means.inventory
      .clusters()
      .filter(({ name }) => cluster === undefined || name === cluster);
    if (cluster !== undefined && entries.length === 0) return fail("cluster.unknown", { cluster });
    return this.#means.snapshots.take(entries, { by, reason });
  }

  async listSnapshots(filter: {
    readonly cluster?: string;
    readonly limit: number;
  }): Promise<Outcome<readonly SnapshotHead[]>> {
    return succeed(await this.#means.snapshots.list(filter));
  }

  snapshot(id: string): Promise<Outcome<Snapshot>> {
    return this.#means.snapshots.get(id);
  }

  async audit(limit: number): Promise<
    Outcome<{
      readonly entries: readonly AuditEntry[];
      readonly chainHolds: boolean;
      readonly ends: AuditEnds;
    }>
  > {
    const { audit, heads } = this.#means;
    const [read, ends] = await Promise.all([audit.read(limit), heads.ends()]);
    return succeed({ ...read, ends });
  }

  async doctor(): Promise<Outcome<readonly CheckResult[]>> {
    return succeed(await this.#means.doctor());
  }
}
