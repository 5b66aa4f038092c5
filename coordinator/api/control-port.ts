/** What the control service needs of the application, and of the shelf of packages. */
import type { Outcome } from "#proto/common/failure.ts";
import type { Application } from "../engine/orders/application.ts";

export type { GivenWord, Order } from "../engine/orders/application-means.ts";
export type { WantedTarget } from "../engine/orders/target.ts";

export type ControlPort = Pick<
  Application,
  | "applyInventory"
  | "removeNode"
  | "fleet"
  | "check"
  | "makePlan"
  | "makePlanBack"
  | "makePlanToMend"
  | "apply"
  | "steer"
  | "rollouts"
  | "rollout"
  | "watch"
  | "why"
  | "locks"
  | "breakLock"
  | "leftOvers"
  | "takeSnapshot"
  | "listSnapshots"
  | "snapshot"
  | "audit"
  | "doctor"
> & {
  /** An inventory in YAML, from what attached agents say. */
  discover(): Promise<Outcome<string>>;
};

/** Packages by digest; the service streams them in and out. */
export interface ArtefactShelf {
  /** Refuses a wrong digest or length, and keeps nothing of it. */
  push(
    header: { readonly name: string; readonly digest: string; readonly totalBytes: number },
    chunks: AsyncIterable<Uint8Array>,
  ): Promise<Outcome<string>>;
  list(): Promise<readonly { readonly digest: string; readonly name: string; readonly totalBytes: number }[]>;
}
