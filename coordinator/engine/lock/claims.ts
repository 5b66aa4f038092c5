/** Claims with their effects: all of a rollout's clusters, or none. */
import type { Clock, Random } from "#proto/common/clock.ts";
import { type Failure, fail, type Outcome, succeed } from "#proto/common/failure.ts";
import { type ClaimRecord, inOrder, release, take, whyNotHeldBy } from "../../domain/claim.ts";
import type { Register } from "../ports.ts";
import { electionLimitMs, readSurely, swapSurely } from "./swap.ts";

export interface ClaimMeans {
  readonly register: Register<ClaimRecord>;
  readonly clock: Clock;
  readonly random: Random;
}

const maxTries = 5;

export class Claims {
  readonly #means: ClaimMeans;

  constructor(means: ClaimMeans) {
    this.#means = means;
  }

  async takeAll(
    clusters: readonly string[],
    holder: { readonly rollout: string; readonly by: string },
  ): Promise<Outcome<void>> {
    const tried: string[] = [];
    for (const cluster of inOrder(clusters)) {
      tried.push(cluster);
      const claimed = await this.#take(cluster, holder).catch(async (error: unknown) => {
        // the write may have been made: what was not surely refused is given back too
        await this.releaseAll(tried, holder);
        throw error;
      });
      if (!claimed.ok) {
        await this.releaseAll(tried, holder);
        return claimed;
      }
    }
    return succeed(undefined);
  }

  /** Taken again where nobody holds it, as after the store has forgotten it; what one holds is not written anew. */
  async retake(
    clusters: readonly string[],
    holder: { readonly rollout: string; readonly by: string },
  ): Promise<Outcome<void>> {
    for (const cluster of inOrder(clusters)) {
      const claimed = await this.#take(cluster, holder);
      if (!claimed.ok) return claimed;
    }
    return succeed(undefined);
  }

  #take(cluster: string, holder: { readonly rollout: string; readonly by: string }): Promise<Outcome<void>> {
    return this.#change(cluster, (record) => take(cluster, record, { ...holder, since: this.#now() }));
  }

  /** Why no lock of this cluster may be granted to the rollout; undefined where its claim stands. */
  async whyNotHeld(cluster: string, rollout: string): Promise<Failure | undefined> {
    const { register, clock, random } = this.#means;
    const found = await readSurely(register, cluster, { clock, random, limitMs: electionLimitMs });
    return whyNotHeldBy(cluster, found?.value, rollout);
  }

  async releaseAll(
    clusters: readonly string[],
    holder: { readonly rollout: string; readonly by: string },
  ): Promise<void> {
    for (const cluster of inOrder(clusters)) {
      await this.#change(cluster, (record) => {
        const next = release(record, { ...holder, since: this.#now() });
        return next === undefined ? fail("claim.missing", { cluster }) : succeed(next);
      });
    }
  }

  async holder(cluster: string): Promise<ClaimRecord | undefined> {
    return (await this.#means.register.read(cluster))?.value;
  }

  /** Rollouts that hold any claim, with the clusters they hold: those are open. */
  async open(): Promise<ReadonlyMap<string, readonly string[]>> {
    const clusters = await this.#means.register.keys();
    const records = await Promise.all(clusters.map((cluster) => this.holder(cluster)));
    const open = new Map<string, readonly string[]>();
    for (const [index, cluster] of clusters.entries()) {
      const rollout = records[index]?.rollout ?? "";
      if (rollout !== "") open.set(rollout, [...(open.get(rollout) ?? []), cluster]);
    }
    return open;
  }

  async #change(
    cluster: string,
    alter: (record: ClaimRecord | undefined) => Outcome<ClaimRecord>,
  ): Promise<Outcome<void>> {
    const { register, clock, random } = this.#means;
    const means = { clock, random, limitMs: electionLimitMs };
    for (let tries = 0; tries < maxTries; tries += 1) {
      const before = await readSurely(register, cluster, means);
      const next = alter(before?.value);
      if (!next.ok) return next;
      if (next.value === before?.value) return succeed(undefined);
      const isOurs = (found: ClaimRecord) =>
        found.rollout === next.value.rollout && found.since === next.value.since;
      const written = await swapSurely(register, { key: cluster, before, next: next.value, isOurs }, means);
      if (written.ok) return succeed(undefined);
      if (written.failure.code !== "store.swap-lost") return written;
    }
    return fail("store.swap-lost", { key: cluster });
  }

  #now(): string {
    return new Date(this.#means.clock.now()).toISOString();
  }
}
