/** Claims with their effects: all of a rollout's clusters, or none. */
import type { Clock, Random } from "#proto/common/clock.ts";
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import { type ClaimRecord, inOrder, release, take } from "../domain/claim.ts";
import type { Register } from "./ports.ts";
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
    const taken: string[] = [];
    for (const cluster of inOrder(clusters)) {
      const claimed = await this.#change(cluster, (record) =>
        take(cluster, record, { ...holder, since: this.#now() }),
      );
      if (!claimed.ok) {
        await this.releaseAll(taken, holder);
        return claimed;
      }
      taken.push(cluster);
    }
    return succeed(undefined);
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

  /** Rollouts that hold any claim: those are open. */
  async open(): Promise<readonly string[]> {
    const records = await Promise.all(
      (await this.#means.register.keys()).map((cluster) => this.holder(cluster)),
    );
    return [
      ...new Set(
        records.flatMap((record) => (record === undefined || record.rollout === "" ? [] : [record.rollout])),
      ),
    ].sort();
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
