/** What moves have left on servers, as their agents name it, and the rollout that each belongs to. */
import type { Failure } from "#proto/common/failure.ts";

export interface LeftOverView {
  readonly node: string;
  /** Kind and name, as on the server. */
  readonly found: string;
  /** Absent where the name tells none. */
  readonly rollout?: string;
  readonly isOpen: boolean;
}

export interface LeftOversView {
  readonly cluster: string;
  readonly engine: string;
  /** False: this engine's rollouts make nothing of the kind. */
  readonly isApplicable: boolean;
  readonly found: readonly LeftOverView[];
  /** Nodes that could not be looked at, and why. */
  readonly unknown: readonly { readonly node: string; readonly why: Failure }[];
}

/** `lockkeeper_20260131_221500_abcd_back` and `lockkeeper-20260131-221500-abcd` are both of 20260131-221500-abcd. */
export function rolloutIn(found: string): string | undefined {
  const [, day, time, token] = /lockkeeper[_-](\d{8})[_-](\d{6})[_-]([a-z0-9]+)/.exec(found) ?? [];
  return day === undefined ? undefined : `${day}-${time}-${token}`;
}
