/** Takes, stores, lists and expires snapshots. */
import type { Clock } from "#proto/common/clock.ts";
import { fail, failure, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Measured } from "#proto/common/measured.ts";
import type { Word } from "../domain/check.ts";
import type { ClaimRecord } from "../domain/claim.ts";
import type { ClusterEntry } from "../domain/inventory.ts";
import type { LockRecord } from "../domain/lock.ts";
import type { Playbook } from "../domain/playbook.ts";
import { expired, type Retention } from "../domain/snapshot/retention.ts";
import {
  type ClusterSnapshot,
  describeCluster,
  headOf,
  type Snapshot,
  type SnapshotHead,
  snapshotFormat,
} from "../domain/snapshot/snapshot.ts";
import { nodeInputs, type SurveyedFleet, surveyCluster } from "./orders/survey.ts";
import type { DocumentStore, Register } from "./ports.ts";

/** What a rollout that has not ended points at. */
export interface OpenRollout {
  readonly id: string;
  readonly snapshots: readonly { readonly id: string }[];
}

export interface About {
  readonly by: string;
  readonly reason: string;
  /** The rollout that it is taken for: kept until that has ended. */
  readonly rollout?: string;
}

export interface SnapshotMeans {
  readonly documents: DocumentStore<Snapshot>;
  readonly fleet: SurveyedFleet;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly locks: Register<LockRecord>;
  readonly claims: Register<ClaimRecord>;
  readonly retention: Retention;
  playbook(engine: string): Playbook | undefined;
  wordsInForce(cluster: string): readonly Word[];
  /** From the stored logs: a rollout that nobody drives at this moment is open all the same. */
  openRollouts(): Promise<readonly OpenRollout[]>;
}

const prefix = "snapshot/";

export class Snapshots {
  readonly #means: SnapshotMeans;
  /** Rollout by snapshot taken for it here: its log tells of a snapshot only after that is stored. */
  readonly #takenFor = new Map<string, string>();

  constructor(means: SnapshotMeans) {
    this.#means = means;
  }

  async take(clusters: readonly ClusterEntry[], { by, reason, rollout }: About): Promise<Outcome<Snapshot>> {
    const { clock, newId, documents } = this.#means;
    const records = await Promise.all(clusters.map((cluster) => this.#describe(cluster)));
    const snapshot: Snapshot = {
      format: snapshotFormat,
      id: newId(),
      takenAt: new Date(clock.now()).toISOString(),
      by,
      reason,
      clusters: records,
    };
    if (rollout !== undefined) this.#takenFor.set(snapshot.id, rollout);
    await documents.put(`${prefix}${snapshot.id}`, snapshot);
    await this.#expire();
    return succeed(snapshot);
  }

  async list(filter: {
    readonly cluster?: string;
    readonly limit: number;
  }): Promise<readonly SnapshotHead[]> {
    const stored = [...(await this.#means.documents.list(prefix))].sort(
      (left, right) => right.storedAtMs - left.storedAtMs,
    );
    const heads: SnapshotHead[] = [];
    for (const { name } of stored) {
      if (heads.length >= filter.limit) break;
      const snapshot = await this.#means.documents.get(name);
      if (snapshot === undefined) continue;
      const head = headOf(snapshot);
      if (filter.cluster === undefined || head.clusters.includes(filter.cluster)) heads.push(head);
    }
    return heads;
  }

  async get(id: string): Promise<Outcome<Snapshot>> {
    const found = await this.#means.documents.get(`${prefix}${id}`);
    return found === undefined ? fail("snapshot.unknown", { id }) : succeed(found);
  }

  async #describe(entry: ClusterEntry): Promise<ClusterSnapshot> {
    const { fleet, clock, locks, claims, playbook, wordsInForce } = this.#means;
    const [survey, lock, claim] = await Promise.all([
      surveyCluster(fleet, clock, entry),
      this.#measured(locks, entry.name),
      this.#measured(claims, entry.name),
    ]);
    const input = {
      entry,
      nodes: nodeInputs(fleet, clock, survey),
      lock,
      claim,
      wordsInForce: wordsInForce(entry.name),
    };
    return describeCluster(input, playbook(entry.engine));
  }

  async #measured<T>(register: Register<T>, key: string): Promise<Measured<T>> {
    const at = new Date(this.#means.clock.now()).toISOString();
    try {
      const found = await register.read(key);
      return found === undefined ? { at, notApplicable: "never written" } : { at, value: found.value };
    } catch (error) {
      return { at, unknown: failure("store.unreachable", { cause: String(error) }) };
    }
  }

  async #expire(): Promise<void> {
    const { documents, retention, clock } = this.#means;
    const stored = (await documents.list(prefix)).map(({ name, storedAtMs }) => ({ id: name, storedAtMs }));
    const nowMs = clock.now();
    if (expired(stored, new Set(), retention, nowMs).length === 0) return;
    // where that cannot be known (the store, a damaged log) all of them stay
    const open = await this.#means.openRollouts().catch(() => undefined);
    if (open === undefined) return;
    const pinned = this.#pinnedBy(open);
    for (const name of expired(stored, pinned, retention, nowMs)) await documents.remove(name);
  }

  /** Names of the documents that an open rollout points at, or will. */
  #pinnedBy(open: readonly OpenRollout[]): ReadonlySet<string> {
    for (const [id, rollout] of this.#takenFor)
      if (!open.some((each) => each.id === rollout)) this.#takenFor.delete(id);
    const ids = [...open.flatMap(({ snapshots }) => snapshots.map(({ id }) => id)), ...this.#takenFor.keys()];
    return new Set(ids.map((id) => `${prefix}${id}`));
  }
}
