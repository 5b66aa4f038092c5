/**
 * One running node: it beats its own liveness while it hears from a majority, tells its peers every beat,
 * and believes of others only what their records say. Nothing here knows SQL or HTTP.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { CliError } from "./cli-error.ts";
import { type Knobs, knobNumber, readKnobs, strike, tickScale } from "./knobs.ts";
import { Peers } from "./peers.ts";
import { storeMetrics } from "./placement.ts";
import {
  type Descriptor,
  freshRecord,
  type Identity,
  isLive,
  type Job,
  type Kept,
  membersIn,
  type NodeRecord,
  periods,
  rangesIn,
  type View,
} from "./records.ts";
import { keep } from "./store.ts";
import { askOnce, type Frame, type Reply } from "./wire.ts";

export interface NodeOptions {
  readonly root: string;
  readonly store: string;
  readonly kept: Kept;
  readonly desc: Omit<Descriptor, "locality">;
  readonly locality: string | undefined;
  readonly join: readonly string[];
}

export class ClusterNode {
  readonly options: NodeOptions;
  readonly scale: number;
  knobs: Knobs;
  identity: Identity | undefined;
  /** Set by the fault: the process listens and never serves. */
  readonly stuck: boolean;
  readonly #peers: Peers;
  /** Statements under way that are jobs. */
  readonly #underway: Job[] = [];
  #metricsDue = 0;
  #stopped = false;

  constructor(options: NodeOptions) {
    const { root, kept, desc, join } = options;
    this.options = options;
    this.knobs = readKnobs(root);
    this.scale = tickScale(this.knobs);
    this.stuck = strike(root, this.knobs, "never_ready") !== undefined;
    this.identity = kept.identity;
    this.#peers = new Peers(desc.address, join, kept, 2000 * this.scale + 200);
  }

  view(): View {
    const { records, settings } = this.#peers.gossip;
    const inOrder = [...records.values()].toSorted((a, b) => a.id - b.id);
    return { self: this.nodeId, now: Date.now(), scale: this.scale, records: inOrder, settings };
  }

  get nodeId(): number {
    return this.identity?.nodeId ?? 0;
  }

  get self(): NodeRecord | undefined {
    return this.#peers.gossip.records.get(this.nodeId);
  }

  get live(): boolean {
    return this.self !== undefined && isLive(this.self, Date.now());
  }

  /** Makes this node the first of a new cluster. */
  initialise(): void {
    if (this.identity !== undefined) {
      const message = "rpc error: code = AlreadyExists desc = cluster has already been initialized";
      throw new CliError({ message, hint: "Please ensure all your start commands are using --join." });
    }
    this.identity = { clusterId: randomUUID(), nodeId: 1 };
  }

  /** Begins a new epoch; the marks of the former life go, but for the upgrading one. */
  async begin(): Promise<void> {
    await this.#tell();
    const { locality = `region=NODE${this.nodeId}`, desc } = this.options;
    const alone = this.#peers.gossip.records.size <= 1;
    await this.mark(this.nodeId, {
      epoch: (this.self?.epoch ?? 0) + 1,
      draining: false,
      desc: { ...desc, locality },
      leasesFrom: Date.now() + (alone ? 0 : periods.leasesReturn * this.scale),
    });
    await this.beat();
  }

  /** Runs until `end`. */
  async run(): Promise<void> {
    while (!this.#stopped) {
      await sleep(periods.beat * this.scale);
      if (this.identity === undefined) await this.#seekCluster();
      else if (!this.#stopped) await this.beat();
    }
  }

  end(): void {
    this.#stopped = true;
    this.#keep();
  }

  async beat(): Promise<void> {
    this.knobs = readKnobs(this.options.root);
    this.#putFromKnobs();
    await this.#tell();
    const now = Date.now();
    if (!this.stuck && this.#hearsMajority(now)) {
      this.#change(this.nodeId, {
        expiration: now + periods.liveness * this.scale,
        updatedAt: now,
        leaseWeight: knobNumber(this.knobs, "lease_weight", 1),
        replicaWeight: knobNumber(this.knobs, "replica_weight", 1),
        jobs: this.#jobs(now),
        clients: (this.knobs["clients"] ?? "").split(",").filter((client) => client !== ""),
      });
      if (now >= this.#metricsDue) this.#persistMetrics(now);
      await this.#tell();
    }
    this.#keep();
  }

  /** Takes a peer's records. Answers with the own ones, or refuses a stranger. */
  hear(frame: Frame): Reply {
    const { clusterId } = this.identity ?? {};
    if (this.#peers.hear(frame, clusterId)) return { ...this.#peers.word(clusterId, this.identity?.nodeId) };
    return { error: { message: `node belongs to cluster ${clusterId}` } };
  }

  /** Gives the next free id; only the lowest live node does, so that no id is given twice. */
  async admit(address: string): Promise<Reply> {
    if (this.identity === undefined) return { error: { message: "node waiting for init" } };
    const [first] = this.view().records.filter((record) => isLive(record, Date.now()));
    if (first?.desc !== undefined && first.id !== this.nodeId) {
      return askOnce(first.desc.address, { rpc: "admit", address }, 1000);
    }
    const admitted = Math.max(...this.#peers.gossip.records.keys()) + 1;
    this.#change(admitted, {});
    return { ...this.#peers.word(this.identity.clusterId, this.nodeId), admitted };
  }

  /** Marks a node's record, here first; gossip carries it on. */
  async mark(nodeId: number, marks: Partial<NodeRecord>): Promise<void> {
    this.#change(nodeId, marks);
    await this.#tell();
  }

  async set(name: string, value: string | null): Promise<void> {
    this.#put(name, value, (this.#peers.gossip.settings.get(name)?.version ?? 0) + 1);
    await this.#tell();
  }

  /** A statement that is a job: seen by SHOW JOBS, and done to its end whether or not its client waits. */
  async during<T>(type: string, work: (id: string) => Promise<T>): Promise<T> {
    const created = Date.now();
    const job: Job = { id: String(8_000_000_000_000 + created), type, status: "running", created };
    this.#underway.push(job);
    await this.beat();
    try {
      return await work(job.id);
    } finally {
      this.#underway.splice(this.#underway.indexOf(job), 1);
      await this.beat();
    }
  }

  #put(name: string, value: string | null, version: number): void {
    const { gossip } = this.#peers;
    this.#peers.gossip = { ...gossip, settings: new Map([...gossip.settings, [name, { value, version }]]) };
  }

  /** What the host's file says, as long as nobody has set it by SQL. */
  #putFromKnobs(): void {
    const [name, value] = ["server.time_until_store_dead", this.knobs["time_until_store_dead"]];
    const { version = 0 } = this.#peers.gossip.settings.get(name) ?? {};
    if (value !== undefined && version === 0) this.#put(name, value, 0);
  }

  #tell(): Promise<void> {
    return this.#peers.tell(this.identity?.clusterId, this.identity?.nodeId);
  }

  async #seekCluster(): Promise<void> {
    await this.#tell();
    const question: Frame = { rpc: "admit", address: this.options.desc.address };
    for (const address of this.#peers.addresses) {
      const reply = await askOnce(address, question, 1000).catch(() => undefined);
      const { admitted, clusterId } = reply ?? {};
      if (reply === undefined || typeof admitted !== "number" || typeof clusterId !== "string") continue;
      this.identity = { clusterId, nodeId: admitted };
      this.#peers.hear(reply, clusterId);
      return;
    }
  }

  #hearsMajority(now: number): boolean {
    const members = this.view().records.filter((record) => record.membership !== "decommissioned");
    const others = members.filter((record) => record.id !== this.nodeId);
    const near = others.filter((record) =>
      this.#peers.heardSince(record.id, now - 4 * periods.beat * this.scale),
    );
    return (near.length + 1) * 2 > others.length + 1;
  }

  #persistMetrics(now: number): void {
    this.#metricsDue = now + periods.metrics * this.scale;
    const view = this.view();
    const counted = storeMetrics(view.self, rangesIn(view), membersIn(view));
    const unavailable = counted.unavailable + knobNumber(this.knobs, "unavailable_ranges", 0);
    const underreplicated = counted.underreplicated + knobNumber(this.knobs, "underreplicated_ranges", 0);
    this.#change(view.self, { metrics: { ...counted, unavailable, underreplicated } });
  }

  #jobs(now: number): readonly Job[] {
    const wanted = {
      import_job: "IMPORT",
      schema_change_job: "SCHEMA CHANGE",
      compress_job: "COMPRESS",
      retention_job: "RETENTION",
    };
    const asked = Object.entries(wanted).flatMap(([knob, type], at) => {
      const status = this.knobs[knob] ?? "no";
      const id = String(7_000_000_000 + this.nodeId * 10 + at);
      const created = this.self?.jobs.find((job) => job.id === id)?.created ?? now;
      return status === "no" ? [] : [{ id, type, status, created }];
    });
    return [...asked, ...this.#underway];
  }

  /** A mark on another node outruns the beats that its owner makes meanwhile. */
  #change(nodeId: number, marks: Partial<NodeRecord>): void {
    const { gossip } = this.#peers;
    const known = gossip.records.get(nodeId) ?? freshRecord(nodeId, Date.now());
    const version = known.version + (nodeId === this.nodeId ? 1 : 1000);
    const records = new Map([...gossip.records, [nodeId, { ...known, ...marks, version }]]);
    this.#peers.gossip = { ...gossip, records };
  }

  #keep(): void {
    const { records, settings } = this.#peers.gossip;
    const kept = { peers: this.#peers.addresses, records: [...records.values()], settings: [...settings] };
    keep(this.options.store, this.identity === undefined ? kept : { identity: this.identity, ...kept });
  }
}
