/**
 * What the control service needs of the application, in the domain's own words. Every answer is an
 * Outcome: a refusal is a value with a code, and nothing was changed unless the code's text says so.
 */
import type { Outcome } from "#proto/common/failure.ts";
import type { AuditEntry } from "../domain/audit.ts";
import type { CheckResult, Word } from "../domain/check.ts";
import type { Plan } from "../domain/plan.ts";
import type { RolloutEvent } from "../domain/rollout/event.ts";
import type { Snapshot, SnapshotHead } from "../domain/snapshot/snapshot.ts";
import type { FleetView, LockView, RolloutView, WhyView } from "../domain/views.ts";
import type { InventoryChange } from "../inventory/change.ts";

/** What a person wants: as typed, unset fields absent. */
export interface WantedTarget {
  readonly cluster: string;
  readonly version: string;
  readonly artefact?: string;
  readonly digest?: string;
  readonly strategy?: string;
  readonly method?: string;
  readonly into?: string;
}

export type Order = "pause" | "resume" | "abort" | "approve" | "retry" | "skip";

/** A word as given; who and when are added by the application. */
export type GivenWord = Pick<Word, "kind" | "check" | "reason"> & { readonly until?: string };

export interface ControlPort {
  applyInventory(
    by: string,
    file: { readonly name: string; readonly yaml: string; readonly dryRun: boolean },
  ): Promise<Outcome<readonly InventoryChange[]>>;
  removeNode(
    by: string,
    node: { readonly cluster: string; readonly node: string; readonly reason: string },
  ): Promise<Outcome<void>>;
  /** An inventory in YAML, from what attached agents say. */
  discover(): Promise<Outcome<string>>;
  fleet(cluster?: string): Promise<Outcome<FleetView>>;
  check(target: WantedTarget): Promise<Outcome<readonly CheckResult[]>>;
  makePlan(target: WantedTarget): Promise<Outcome<Plan>>;
  makePlanBack(rollout: string): Promise<Outcome<Plan>>;
  /** The rollout's id. `plan` is what the caller believes; it is compared with a plan made anew, never executed. */
  apply(
    by: string,
    wish: {
      readonly plan: Plan;
      readonly stopAfterNodes?: number;
      readonly approveEach: boolean;
      readonly words: readonly GivenWord[];
    },
  ): Promise<Outcome<string>>;
  steer(
    by: string,
    order: {
      readonly rollout: string;
      readonly order: Order;
      readonly node?: string;
      readonly reason: string;
      readonly words: readonly GivenWord[];
    },
  ): Promise<Outcome<void>>;
  rollouts(filter: {
    readonly cluster?: string;
    readonly openOnly: boolean;
    readonly limit: number;
  }): Promise<Outcome<readonly RolloutView[]>>;
  /** A rollout by id, or the newest of a cluster. */
  rollout(name: string): Promise<Outcome<RolloutView>>;
  /** Stored events after the sequence; with `follow`, goes on until the signal aborts. */
  watch(
    rollout: string,
    afterSequence: number,
    follow: boolean,
    signal: AbortSignal,
  ): AsyncIterable<RolloutEvent>;
  why(name: string): Promise<Outcome<WhyView>>;
  locks(cluster?: string): Promise<Outcome<readonly LockView[]>>;
  breakLock(
    by: string,
    request: { readonly cluster: string; readonly reason: string; readonly word: string },
  ): Promise<Outcome<LockView>>;
  takeSnapshot(
    by: string,
    wish: { readonly cluster?: string; readonly reason: string },
  ): Promise<Outcome<Snapshot>>;
  snapshots(filter: {
    readonly cluster?: string;
    readonly limit: number;
  }): Promise<Outcome<readonly SnapshotHead[]>>;
  snapshot(id: string): Promise<Outcome<Snapshot>>;
  audit(
    limit: number,
  ): Promise<Outcome<{ readonly entries: readonly AuditEntry[]; readonly chainHolds: boolean }>>;
  doctor(): Promise<Outcome<readonly CheckResult[]>>;
}

/** Packages by digest; the service streams them in and out. */
export interface ArtefactShelf {
  /** Refuses a wrong digest or length, and keeps nothing of it. */
  push(
    header: { readonly name: string; readonly digest: string; readonly totalBytes: number },
    chunks: AsyncIterable<Uint8Array>,
  ): Promise<Outcome<string>>;
  list(): Promise<readonly { readonly digest: string; readonly name: string; readonly totalBytes: number }[]>;
}
