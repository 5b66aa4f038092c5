/**
 * A playbook: everything the coordinator knows about one engine, as pure functions. A new engine is one
 * of these, one folder of verbs at the agent, and the shape of its facts.
 */
import type { Failure, Outcome } from "#proto/common/failure.ts";
import type { Measured } from "#proto/common/measured.ts";
import type { NodeReport } from "#proto/common/report.ts";
import type { CheckResult } from "./check.ts";
import type { FollowingView } from "./following.ts";
import type { Gates } from "./gate.ts";
import type { ClusterEntry } from "./inventory.ts";
import type { Plan } from "./plan.ts";
import type { Undone } from "./undone.ts";
import type { OpenWay } from "./way.ts";

/** What an artefact says of itself after the coordinator has looked into it. */
export interface ArtefactFacts {
  readonly digest: string;
  readonly name: string;
  readonly totalBytes: number;
  /** Engine's own facts (for KWDB: basic and extended version, kind, package names). */
  readonly facts: Readonly<Record<string, string>>;
}

export interface Wish {
  readonly to: string;
  readonly strategy?: "rolling" | "offline" | "move";
  readonly method?: string;
  readonly into?: string;
  /** Left-overs are to be mended: values that a person has named. */
  readonly mend?: Readonly<Record<string, string>>;
  /** The rollout to go back from. */
  readonly back?: Undone;
  /** Name and digest alone for a rollout on its way, whose package another coordinator was given. */
  readonly artefact?: Pick<ArtefactFacts, "digest" | "name"> & Partial<ArtefactFacts>;
}

export interface PlaybookInput {
  readonly cluster: ClusterEntry;
  /** The other cluster of a plan over two, `wish.into` by name. */
  readonly into?: Pick<PlaybookInput, "cluster" | "reports" | "clockOffsets">;
  readonly wish: Wish;
  /** A full report per node; undefined where the node has no attached agent or did not answer. */
  readonly reports: Readonly<Record<string, NodeReport | undefined>>;
  /** The coordinator's wall time, ms since the epoch, as an input. */
  readonly nowMs: number;
  /** Offset of each node's clock against the coordinator's, ms, with the half round trip as its error. */
  readonly clockOffsets: Readonly<
    Record<string, { readonly offsetMs: number; readonly errorMs: number } | undefined>
  >;
}

export interface Playbook {
  readonly engine: string;
  /** Rises when the same input gives another plan; part of what a plan is bound to. */
  readonly version: number;
  check(input: PlaybookInput): readonly CheckResult[];
  /** What forbids to start a node now, though nothing is wrong: codes `blocker.…`. Looked at before each grant. */
  blockers?(input: PlaybookInput): readonly Failure[];
  plan(input: PlaybookInput): Outcome<Plan>;
  /** The ways that are open to the version, whatever strategy and method the wish names. */
  ways?(input: PlaybookInput): readonly OpenWay[];
  /** The way back from `wish.back` to its old version; absent where this engine has none in place. */
  planBack?(input: PlaybookInput, back: Undone): Outcome<Plan>;
  /** What its stages have done so far is undone by that plan alone, even where nothing of it is past return. */
  readonly undoesPassedStages?: true;
  /** Mends what `check` finds and no upgrade is needed for, as `wish.mend` wants it. */
  planMend?(input: PlaybookInput): Outcome<Plan>;
  readonly gates: Gates;
  /** By gate: ids of the checks for which it takes a person's acknowledgement; absent: none of them does. */
  readonly answeredAtGates?: Readonly<Record<string, readonly string[]>>;
  /** May a cluster of this plan serve with a node left at the old version? */
  mayServeMixed(plan: Plan): boolean;
  /** The fields a plan is bound to, from the same input; `plan` uses it, and drift is looked for with it. */
  fingerprint(input: PlaybookInput): Readonly<Record<string, string>>;
  /** Version, state and oddities of one node, for tables and snapshots. */
  summarise(report: NodeReport): {
    readonly version: string;
    readonly state: string;
    readonly findings: readonly Failure[];
    /** Worth knowing, and nothing odd: what is kept there. Absent: nothing. */
    readonly notes?: readonly Failure[];
  };
  /** How one server follows another, from the newest reports of both; absent where this engine's rollouts copy nothing. */
  following?(reports: readonly NodeReport[]): FollowingView;
  /** What rollouts have left there, by a full report, `kind name` each; absent where this engine's leave nothing. */
  leftOvers?(report: NodeReport): Measured<readonly string[]> | undefined;
  /** Clusters as the reports describe them, for a draft of an inventory. */
  discover(
    reports: readonly NodeReport[],
  ): readonly Pick<ClusterEntry, "name" | "engine" | "topology" | "deployment" | "nodes">[];
  /** What the nodes' own views of the cluster disagree on; empty when they agree. */
  compareViews(reports: readonly NodeReport[]): readonly Failure[];
}
