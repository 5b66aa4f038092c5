/** Questions: answered from what agents last said, from drivers and from the log. Nothing is changed by them. */
import { fail, failure, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Word } from "../../domain/check.ts";
import type { ClusterEntry } from "../../domain/inventory.ts";
import { brokenBy, type LockRecord } from "../../domain/lock.ts";
import type { RolloutEvent } from "../../domain/rollout/event.ts";
import { fold } from "../../domain/rollout/reduce.ts";
import type { RolloutState } from "../../domain/rollout/state.ts";
import { viewOf, whyOf } from "../../domain/rollout/view.ts";
import type { FleetView, LockView, RolloutView, WhyView } from "../../domain/views.ts";
import type { ApplicationMeans, RolloutFilter } from "./application-means.ts";
import { clusterView, lockView, strangerViews } from "./fleet-view.ts";
import { whoTellsNothing } from "./tells-nothing.ts";

export class Inquiries {
  readonly #means: ApplicationMeans;

  constructor(means: ApplicationMeans) {
    this.#means = means;
  }

  async fleet(cluster?: string): Promise<Outcome<FleetView>> {
    const { inventory, clock, insecure, fleet, playbook } = this.#means;
    const entries = inventory.clusters().filter(({ name }) => cluster === undefined || name === cluster);
    if (cluster !== undefined && entries.length === 0) return fail("cluster.unknown", { cluster });
    const clusters = await Promise.all(
      entries.map(async (entry) =>
        clusterView(entry, fleet, playbook(entry.engine), await this.#factsOf(entry)),
      ),
    );
    const strangers = cluster === undefined ? { strangers: strangerViews(fleet, clock.monotonicMs()) } : {};
    return succeed({ takenAt: new Date(clock.now()).toISOString(), clusters, ...strangers, insecure });
  }

  async #factsOf({ name }: ClusterEntry) {
    const [lock, claim] = await Promise.all([this.#means.deeds.read(name), this.#means.claims.holder(name)]);
    return {
      lock: lock?.value,
      claim,
      words: this.wordsInForce(name),
      step: this.stepUnder(lock?.value),
      nowMs: this.#means.clock.monotonicMs(),
    };
  }

  stepUnder(record: LockRecord | undefined): string | undefined {
    if (record === undefined || record.state === "free") return undefined;
    const stage = this.#means.drivers.state(record.rollout)?.stages.find(({ id }) => id === record.stage);
    return Object.values(stage?.programs ?? {}).at(-1)?.lastStep;
  }

  wordsInForce(cluster: string): readonly Word[] {
    const now = this.#means.clock.now();
    return this.#means.drivers
      .states()
      .filter(({ plan }) => plan.clusters.includes(cluster))
      .flatMap(({ words }) => words.filter(({ until }) => until === undefined || Date.parse(until) > now));
  }

  async rollouts({ cluster, openOnly, limit }: RolloutFilter): Promise<Outcome<readonly RolloutView[]>> {
    const names = openOnly
      ? [...(await this.#means.claims.open()).keys()].sort()
      : [...(await this.#means.log.subjects())].reverse();
    const found: RolloutView[] = [];
    for (const name of names) {
      if (found.length >= limit) break;
      const state = await this.#state(name);
      if (state !== undefined && (cluster === undefined || state.plan.clusters.includes(cluster)))
        found.push(this.#viewOf(state));
    }
    return succeed(found);
  }

  async rollout(name: string): Promise<Outcome<RolloutView>> {
    const state = await this.find(name);
    return state === undefined ? this.noRollout(name) : succeed(this.#viewOf(state));
  }

  /** With what its nodes told last, while it is open. */
  #viewOf(state: RolloutState): RolloutView {
    const { inventory, fleet, playbook } = this.#means;
    const { clusters, engine } = state.plan;
    const look = playbook(engine)?.following;
    const view = viewOf(state);
    if (state.end !== undefined || clusters.length < 2 || look === undefined) return view;
    const nodes = inventory
      .clusters()
      .flatMap((cluster) => (clusters.includes(cluster.name) ? cluster.nodes : []));
    const reports = nodes.flatMap(({ name }) => fleet.lastReport(name)?.report ?? []);
    const silent = nodes.flatMap(({ name }) => (fleet.lastReport(name) === undefined ? [name] : []));
    const following = look(reports);
    return { ...view, following: { ...following, unknown: [...following.unknown, ...silent] } };
  }

  async *watch(
    rollout: string,
    afterSequence: number,
    follow: boolean,
    signal: AbortSignal,
  ): AsyncIterable<RolloutEvent> {
    if (follow) yield* this.#means.log.follow(rollout, afterSequence, signal);
    else yield* await this.#means.log.read(rollout, afterSequence);
  }

  async why(name: string): Promise<Outcome<WhyView>> {
    const { drivers, inventory, fleet, playbook } = this.#means;
    if (name === "") {
      const open = drivers.states().flatMap(whyOf);
      const broken = await Promise.all(inventory.clusters().map((cluster) => this.#broken(cluster.name)));
      const answers = [...withBreaks(open, broken.flat()), ...this.#silent()];
      return succeed({ subject: "fleet", answers });
    }
    const state = await this.find(name);
    const doubled = fleet.doubled().filter((node) => node === name);
    if (doubled.length > 0)
      return succeed({
        subject: name,
        answers: [{ waitingFor: failure("agent.twice", { node: name }), who: "who.host-owner" }],
      });
    const owner = inventory
      .clusters()
      .find((cluster) => cluster.name === name || cluster.nodes.some((node) => node.name === name));
    if (owner === undefined)
      return state === undefined
        ? fail("rollout.unknown", { name })
        : succeed({ subject: state.id, answers: whyOf(state) });
    const asked = owner.nodes.filter((node) => owner.name === name || node.name === name);
    const open = drivers
      .states()
      .filter(({ plan }) => plan.clusters.includes(owner.name))
      .flatMap(whyOf);
    const broken = await this.#broken(owner.name);
    // of one that has ended only what it has left
    const left = open.length > 0 || state?.end === undefined ? [] : whyOf(state);
    const told = [...withBreaks(open, broken), ...left];
    const untold = whoTellsNothing(asked, fleet, playbook(owner.engine), told);
    return succeed({ subject: name, answers: [...told, ...untold] });
  }

  /** One agent that is missing forbids every grant in its cluster, also while nobody has planned one. */
  #silent(): WhyView["answers"] {
    const { inventory, fleet } = this.#means;
    return inventory.clusters().flatMap(({ name: cluster, nodes }) => {
      const silent = nodes.map(({ name }) => name).filter((node) => fleet.presence(node) === undefined);
      const [first = "", ...others] = silent;
      const more = others.length === 0 ? "" : ` and ${others.length} more`;
      const waitingFor = failure("node.not-reported", { cluster, nodes: `${first}${more}` });
      return silent.length === 0
        ? []
        : [{ waitingFor, who: "who.host-owner", command: `lockkeeper why ${cluster}` }];
    });
  }

  /** A broken lock stands until its nodes are proven, whatever became of the rollout that held it. */
  async #broken(cluster: string): Promise<WhyView["answers"]> {
    const note = (await this.#means.deeds.read(cluster))?.value.broken;
    if (note === undefined) return [];
    const waitingFor = brokenBy(cluster, note);
    return [{ waitingFor, since: note.at, who: "who.operator", command: `lockkeeper lock show ${cluster}` }];
  }

  async locks(cluster?: string): Promise<Outcome<readonly LockView[]>> {
    const names = this.#means.inventory.clusters().map(({ name }) => name);
    const wanted = cluster === undefined ? names : names.filter((name) => name === cluster);
    if (wanted.length === 0 && cluster !== undefined) return fail("cluster.unknown", { cluster });
    const { deeds, fleet, clock } = this.#means;
    const views = wanted.map(async (name) => {
      const record = (await deeds.read(name))?.value;
      return lockView(name, record, fleet, { step: this.stepUnder(record), nowMs: clock.monotonicMs() });
    });
    return succeed(await Promise.all(views));
  }

  openState(name: string): RolloutState | undefined {
    return this.#means.drivers.states().find(({ id, plan }) => id === name || plan.clusters.includes(name));
  }

  /** Those that hold a claim, and those that are driven here though the store may have forgotten their claim. */
  async openRollouts(): Promise<readonly RolloutState[]> {
    const { claims, drivers } = this.#means;
    const names = new Set([...(await claims.open()).keys(), ...drivers.states().map(({ id }) => id)]);
    const states = await Promise.all([...names].map((name) => this.#state(name)));
    return states.flatMap((state) => (state === undefined || state.end !== undefined ? [] : [state]));
  }

  async #state(rollout: string): Promise<RolloutState | undefined> {
    return this.#means.drivers.state(rollout) ?? fold(await this.#means.log.read(rollout));
  }

  /** A name of the fleet without a rollout is told apart from a name that nobody knows. */
  noRollout(name: string): Outcome<never> {
    const known = this.#means.inventory
      .clusters()
      .find((cluster) => cluster.name === name || cluster.nodes.some((node) => node.name === name));
    return known === undefined
      ? fail("rollout.unknown", { name })
      : fail("rollout.none", { name, cluster: known.name });
  }

  /** A rollout by id, else the newest of a cluster, or of a node's cluster. */
  async find(given: string): Promise<RolloutState | undefined> {
    const clusters = this.#means.inventory.clusters();
    const owner = clusters.find(({ nodes }) => nodes.some((node) => node.name === given));
    const name = clusters.some((cluster) => cluster.name === given) ? given : (owner?.name ?? given);
    const open = this.openState(name);
    if (open !== undefined) return open;
    if (!this.#means.inventory.clusters().some((cluster) => cluster.name === name))
      return /^[\w-]+$/.test(name) ? this.#state(name) : undefined;
    for (const rollout of [...(await this.#means.log.subjects())].reverse()) {
      const state = await this.#state(rollout);
      if (state?.plan.clusters.includes(name)) return state;
    }
    return undefined;
  }
}

/** A rollout that has stopped for the break says it already. */
function withBreaks(open: WhyView["answers"], broken: WhyView["answers"]): WhyView["answers"] {
  const said = open.map(({ waitingFor }) =>
    waitingFor.code === "lock.broken" ? waitingFor.facts["cluster"] : "",
  );
  return [...open, ...broken.filter(({ waitingFor }) => !said.includes(waitingFor.facts["cluster"] ?? ""))];
}
