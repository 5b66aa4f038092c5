/** What orders and questions work with, and the wishes that come with them. */
import type { Clock, Random } from "#proto/common/clock.ts";
import type { Failure } from "#proto/common/failure.ts";
import type { CheckResult, Word } from "../../domain/check.ts";
import type { Plan } from "../../domain/plan.ts";
import type { Playbook } from "../../domain/playbook.ts";
import type { RolloutEvent } from "../../domain/rollout/event.ts";
import type { AgentReports } from "../agents/agent-reports.ts";
import type { AuditHeads } from "../audit-heads.ts";
import type { AuditTrail } from "../audit-trail.ts";
import type { Drivers } from "../drivers.ts";
import type { Claims } from "../lock/claims.ts";
import type { LockDeeds } from "../lock/lock-deeds.ts";
import type { Standings } from "../lock/standings.ts";
import type { EventLog, Fleet } from "../ports.ts";
import type { Snapshots } from "../snapshots.ts";
import type { InventoryBook } from "./inventory-book.ts";
import type { Planning } from "./planning.ts";

export type Order = "pause" | "resume" | "abort" | "approve" | "retry" | "skip";

/** A word as given; who and when are added here. */
export type GivenWord = Pick<Word, "kind" | "check" | "reason"> & { readonly until?: string };

export interface ApplyWish {
  readonly plan: Plan;
  readonly stopAfterNodes?: number;
  readonly approveEach: boolean;
  readonly words: readonly GivenWord[];
}

/** A rollout that was begun; `notes`: what its orderer is told, and need not act on. */
export interface Begun {
  readonly rollout: string;
  readonly notes: readonly Failure[];
}

export interface OrderWish {
  readonly rollout: string;
  readonly order: Order;
  readonly node?: string;
  readonly reason: string;
  readonly words: readonly GivenWord[];
}

export interface InventoryFile {
  readonly name: string;
  readonly yaml: string;
  /** Clusters that the file does not name are removed, not kept. */
  readonly prune: boolean;
  readonly dryRun: boolean;
}

export interface NodeRemoval {
  readonly cluster: string;
  readonly node: string;
  readonly reason: string;
}

export interface LockBreak {
  readonly cluster: string;
  readonly reason: string;
  /** `the host is off`: a person's word for a node that does not answer. */
  readonly word: string;
}

export interface RolloutFilter {
  readonly cluster?: string;
  readonly openOnly: boolean;
  readonly limit: number;
}

export interface ApplicationMeans {
  readonly clock: Clock;
  readonly random: Random;
  readonly fleet: Fleet & { doubled(): readonly string[]; strangers(): readonly string[] };
  readonly log: EventLog<RolloutEvent>;
  readonly audit: AuditTrail;
  readonly heads: AuditHeads;
  readonly claims: Claims;
  readonly drivers: Drivers;
  readonly deeds: LockDeeds;
  readonly standings: Standings;
  readonly reports: AgentReports;
  readonly planning: Planning;
  readonly snapshots: Snapshots;
  readonly inventory: InventoryBook;
  readonly newRolloutId: () => string;
  playbook(engine: string): Playbook | undefined;
  leader(): { readonly leads: boolean; readonly address: string };
  readonly insecure: boolean;
  doctor(): Promise<readonly CheckResult[]>;
}
