/** What a host's disk and database hold: it outlives agents and coordinators. */
import type { CheckStatus } from "#coordinator/domain/check.ts";

export interface Node {
  readonly name: string;
  up: boolean;
  version: string;
  /** The step that fails here, and the one whose result nobody can know. */
  failsAt: string | undefined;
  unknownAt: string | undefined;
  /** Steps that take this many times as long. */
  slowAt: Readonly<Record<string, number>>;
  /** A gate that looks at an ill node is red: it waits, or it fails, or waits for what a person must bring. */
  ill: "waits" | "fails" | "lacks" | undefined;
  /** What a stage can mend; `always`: and is torn again at once; `refused`: a gate does not wait for it. */
  torn: boolean | "always" | "refused";
  /** A write fence, which is a hold. */
  fenced: boolean;
  /** What a watch measures; `Number.NaN` when it cannot be measured. */
  lag: number;
  /** What the watch's reaction takes away. */
  slot: boolean;
  /** Results of checks, by id; absent means ok. */
  readonly checks: Record<string, CheckStatus>;
  /** What forbids to start a node now, though nothing is wrong. */
  blocker: string | undefined;
  /** Every change, in order: "stop", "upgrade", "undo stop"… */
  readonly deeds: string[];
}

export function freshNode(name: string): Node {
  return {
    name,
    up: true,
    version: "1",
    failsAt: undefined,
    unknownAt: undefined,
    slowAt: {},
    ill: undefined,
    torn: false,
    fenced: false,
    lag: 0,
    slot: true,
    checks: {},
    blocker: undefined,
    deeds: [],
  };
}

/** How long a message is on its way. */
export const latencyMs = 1;
/** How long each step of a program takes. */
export const stepMs = 100;
