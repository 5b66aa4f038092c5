/** A gate is pure: from the fleet as it was before and as it is now, go on, wait, or stop. */
import type { Facts, Failure } from "#proto/common/failure.ts";
import type { NodeReport } from "#proto/common/report.ts";
import type { GateSpec } from "./plan.ts";
import type { Hint } from "./rollout/hint.ts";

/** Reports of one cluster at one moment. A node that did not answer is present with `unknown`. */
export interface ClusterSample {
  readonly cluster: string;
  /** Coordinator's monotonic ms. */
  readonly atMs: number;
  readonly nodes: Readonly<Record<string, NodeReport | { readonly unknown: Failure }>>;
}

export type GateVerdict =
  | { readonly verdict: "pass" }
  | WaitVerdict
  /** `hint` names a text in the catalogue: what goes on from there. */
  | { readonly verdict: "fail"; readonly why: Failure; readonly hint: Hint };

export interface WaitVerdict {
  readonly verdict: "wait";
  readonly why: Failure;
  /** What is waited for does not come by itself. */
  readonly isForPerson?: true;
}

export interface GateInput {
  readonly spec: GateSpec;
  /** The sample taken when the stage began; undefined on the first. */
  readonly before: ClusterSample | undefined;
  readonly now: ClusterSample;
  /** Checks for which this rollout has a person's acknowledgement; absent: none. */
  readonly acknowledged?: readonly string[];
}

export type Gate = (input: GateInput) => GateVerdict;

/** The gates of a playbook by name. */
export type Gates = Readonly<Record<string, Gate>>;

export const pass: GateVerdict = { verdict: "pass" };

export function waitFor(code: Failure["code"], facts: Facts = {}): WaitVerdict {
  return { verdict: "wait", why: { code, facts } };
}

export function refuse(why: Failure, hint: Hint): GateVerdict {
  return { verdict: "fail", why, hint };
}
