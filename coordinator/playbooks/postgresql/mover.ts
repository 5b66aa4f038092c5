/**
 * What carries the rows of a move. The stages are the same for each mover; these are the steps in which they differ. A list is empty
 * where a mover has nothing to do there.
 */
import type { PlanStep } from "../../domain/plan.ts";
import type { Endpoint } from "./move.ts";
import type { Of, Way } from "./steps/of.ts";

type Databases = readonly string[];

export interface Mover {
  readonly method: string;
  /** Every table, those that come later too; else each is named. */
  readonly publishesAll: boolean;
  /** What its slots keep can be read by whoever asks. */
  readonly tellsChanges: boolean;
  /** On the side that publishes that way: before anything is published there. */
  readonly enter: (way: Way, databases: Databases) => readonly PlanStep[];
  readonly admitPeer: (way: Way, databases: Databases, peer: Endpoint) => PlanStep;
  readonly publish: (way: Way, databases: Databases) => PlanStep;
  readonly unpublish: (way: Way, databases: Databases, of?: Of) => PlanStep;
  /** The way forth, with all rows that are there already. */
  readonly subscribe: (databases: Databases, peer: Endpoint) => PlanStep;
  readonly unsubscribe: (way: Way, databases: Databases, of?: Of) => PlanStep;
  readonly pauseSubscriptions: (way: Way, databases: Databases, of?: Of) => PlanStep;
  readonly resumeSubscriptions: (way: Way, databases: Databases, of?: Of) => PlanStep;
  /** Of the way back, on the new server before it is open: from here on every row of it is kept. */
  readonly makeSlots: (databases: Databases) => PlanStep;
  /** The old server takes over what is kept there for it; no row is copied. */
  readonly follow: (databases: Databases, peer: Endpoint) => PlanStep;
  /** What `enter` has made, when nothing is published there any more. */
  readonly leave: (way: Way, databases: Databases, of?: Of) => readonly PlanStep[];
}
