/** A rollout as one sees it who goes back from it: what it was to do, and what it has begun on each node. */
import type { Plan } from "./plan.ts";

export interface UndoneNode {
  readonly node: string;
  /** Ids of the steps that were begun there, of all stages. */
  readonly begun: readonly string[];
  /** A step that cannot be undone was begun there. */
  readonly isChanged: boolean;
}

export interface Undone {
  readonly rollout: string;
  readonly plan: Plan;
  readonly nodes: readonly UndoneNode[];
}
