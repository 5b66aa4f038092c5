/**
 * One running node: it beats its own liveness while it hears from a majority, tells its peers every beat,
 * and believes of others only what their records say. Nothing here knows SQL or HTTP.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { CliError } from "./cli-error.ts";
import { type Knobs, knobNumber, readKnobs, strike, tickScale } from "./knobs.ts";
import { storeMetrics } from "./placement.ts";
import {
  type Descriptor,
  type Gossip,
  isLive,
  type Job,
  membersIn,
  merge,
  type NodeRecord,
  periods,
  rangesIn,
  type View,
} from "./records.ts";
import { type Identity, type Kept, keep } from "./store.ts";
import { askOnce, type Frame, type Reply } from "./wire.ts";

export interface NodeOptions {
  readonly root: string;
  readonly store: string;
  readonly kept: Kept;
  readonly desc: Omit<Descriptor, "locality">;
  readonly locality: string | undefined;
  readonly join: readonly string[];
}

interface Wire {
  readonly clusterId?: string;
  readonly records?: readonly NodeRecord[];
  readonly settings?: Kept["settings"];
}

export class ClusterNode {
  readonly options: NodeOptions;
  readonly scale: number;
  readonly root: string;
  knobs: Knobs;
  identity: Identity | undefined;
  gossip: Gossip;
  /** Set by the one-time fault: the process listens and never serves. */
  readonly stuck: boolean;
  #heard = new Map<number, number>();
  #peers: Set<string>;
  #metricsDue = 0;
  #stopped = false;

  constructor(options: NodeOptions) {
    this.options = options;
    this.root = options.root;
    this.knobs = readKnobs(options.root);
    this.scale = tickScale(this.knobs);
    this.stuck = strike(this.root, this.knobs, "never_ready") !== undefined;
    this.identity = options.kept.identity;
    const forgotten = options.kept.records.map(({ desc: _, ...record }) => record);
    this.gossip = {
      records: new Map(forgotten.map((record) => [record.id, record])),
      settings: new Map(options.kept.settings),
    };
    this.#peers = new Set(
      [...options.join, ...options.kept.peers].filter((address) => address !== options.desc.address),
    );
  }

  view(): View {
    const records = [...this.gossip.records.values()].toSorted((a, b) => a.id - b.id);
    return {
      self: this.nodeId,
      now: Date.now(),
      scale: this.scale,
      records,
      settings: this.gossip.settings,
    };
  }

  get nodeId(): number {
    return this.identity?.nodeId ?? 0;
  }

  get self(): NodeRecord | undefined {
    return this.gossip.records.get(this.nodeId);
  }

  get live(): boolean {
    return this.self !== undefined && isLive(this.self, Date.now());
  }

  /** Makes this node the first of a new cluster. */
  initialise(): void {
    if (this.identity !== undefined) {
      throw new CliError({
        message: "rpc error: code = AlreadyExists desc = cluster has already been initialized",
        hint: "Please ensure all your start commands are using --join.",
      });
    }
    this.identity = { clusterId: randomUUID(), nodeId: 1 };
  }

  /** Begins a new epoch; the marks of the former life go. The upgrading mark stays until told otherwise. */
  async begin(): Promise<void> {
    const { nodeId } = this;
    await this.tellPeers();
    const now = Date.now();
    const { locality = `region=NODE${nodeId}` } = this.options;
    this.#change(nodeId, {
      epoch: (this.self?.epoch ?? 0) + 1,
      draining: false,
      desc: { ...this.options.desc, locality },
      leasesFrom: now + periods.leasesReturn * this.scale * (this.gossip.records.size > 1 ? 1 : 0),
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
    this.knobs = readKnobs(this.root);
    await this.tellPeers();
    const now = Date.now();
    const { nodeId } = this;
    if (!this.stuck && this.#hearsMajority(now)) {
      const due = now >= this.#metricsDue;
      this.#change(nodeId, {
        expiration: now + periods.liveness * this.scale,
        updatedAt: now,
        leaseWeight: knobNumber(this.knobs, "lease_weight", 1),
        replicaWeight: knobNumber(this.knobs, "replica_weight", 1),
        jobs: this.#jobs(now),
        clients: (this.knobs["clients"] ?? "").split(",").filter((client) => client !== ""),
      });
      if (due) this.#persistMetrics(now);
      await this.tellPeers();
    }
    this.#keep();
  }

  /** Sends and takes records; a peer that answers has been heard. */
  async tellPeers(): Promise<void> {
    const frame: Frame = {
      rpc: "gossip",
      from: this.options.desc.address,
      nodeId: this.identity?.nodeId,
      ...this.#wire(),
    };
    for (const record of this.gossip.records.values()) {
      if (record.desc !== undefined && record.id !== this.identity?.nodeId)
        this.#peers.add(record.desc.address);
    }
    await Promise.all(
      [...this.#peers].map(async (address) => {
        const reply = await askOnce(address, frame, 2000 * this.scale + 200).catch(() => undefined);
        if (reply !== undefined && reply.error === undefined) this.hear(reply as Frame & Reply);
      }),
    );
  }

  /** Takes a peer's records. Answers with the own ones, or refuses a stranger. */
  hear(message: Frame | Reply): Reply {
    const { clusterId, records, settings } = message as Wire;
    if (clusterId !== undefined && this.identity !== undefined && clusterId !== this.identity.clusterId) {
      return { error: { message: `node belongs to cluster ${clusterId}, not ${this.identity.clusterId}` } };
    }
    const from = message["nodeId"];
    if (typeof from === "number") this.#heard.set(from, Date.now());
    if (typeof message["from"] === "string" && message["from"] !== this.options.desc.address)
      this.#peers.add(message["from"]);
    const heard = {
      records: new Map(records?.map((record) => [record.id, record])),
      settings: new Map(settings),
    };
    if (this.identity !== undefined) this.gossip = merge(this.gossip, heard);
    return { nodeId: this.identity?.nodeId, from: this.options.desc.address, ...this.#wire() };
  }

  /** Gives the next free id; only the lowest live node does, so that no id is given twice. */
  async admit(address: string): Promise<Reply> {
    if (this.identity === undefined) return { error: { message: "node waiting for init" } };
    const [first] = this.view().records.filter((record) => isLive(record, Date.now()));
    if (first?.desc !== undefined && first.id !== this.identity.nodeId)
      return askOnce(first.desc.address, { rpc: "admit", address }, 1000);
    const nodeId = Math.max(...this.gossip.records.keys()) + 1;
    this.#change(nodeId, {});
    return { nodeId, ...this.#wire() };
  }

  /** Marks a node's record, here first; gossip carries it on. */
  async mark(nodeId: number, marks: Partial<NodeRecord>): Promise<void> {
    this.#change(nodeId, marks);
    await this.tellPeers();
  }

  async set(name: string, value: string): Promise<void> {
    const version = (this.gossip.settings.get(name)?.version ?? 0) + 1;
    this.gossip = {
      ...this.gossip,
      settings: new Map([...this.gossip.settings, [name, { value, version }]]),
    };
    await this.tellPeers();
  }

  async #seekCluster(): Promise<void> {
    await this.tellPeers();
    for (const address of this.#peers) {
      const reply = await askOnce(address, { rpc: "admit", address: this.options.desc.address }, 1000).catch(
        () => undefined,
      );
      const { nodeId, clusterId } = reply ?? {};
      if (typeof nodeId !== "number" || typeof clusterId !== "string") continue;
      this.identity = { clusterId, nodeId };
      this.hear(reply as Reply);
      return;
    }
  }

  #hearsMajority(now: number): boolean {
    const members = this.view().records.filter(
      (record) => record.membership !== "decommissioned" && record.id !== this.identity?.nodeId,
    );
    const near = members.filter(
      (record) => now - (this.#heard.get(record.id) ?? 0) < 4 * periods.beat * this.scale,
    );
    return (near.length + 1) * 2 > members.length + 1;
  }

  #persistMetrics(now: number): void {
    this.#metricsDue = now + periods.metrics * this.scale;
    const view = this.view();
    const counted = storeMetrics(view.self, rangesIn(view), membersIn(view));
    const metrics = {
      ...counted,
      unavailable: counted.unavailable + knobNumber(this.knobs, "unavailable_ranges", 0),
      underreplicated: counted.underreplicated + knobNumber(this.knobs, "underreplicated_ranges", 0),
    };
    this.#change(view.self, { metrics });
  }

  #jobs(now: number): readonly Job[] {
    const wanted = { import_job: "IMPORT", schema_change_job: "SCHEMA CHANGE" };
    return Object.entries(wanted).flatMap(([knob, type], at) => {
      const status = this.knobs[knob];
      const id = String(7_000_000_000 + this.nodeId * 10 + at);
      return status === undefined || status === "no"
        ? []
        : [{ id, type, status, created: this.self?.jobs.find((job) => job.id === id)?.created ?? now }];
    });
  }

  #wire(): Wire {
    if (this.identity === undefined) return {};
    return {
      clusterId: this.identity.clusterId,
      records: [...this.gossip.records.values()],
      settings: [...this.gossip.settings],
    };
  }

  /** A mark on another node outruns the beats that its owner makes meanwhile. */
  #change(nodeId: number, marks: Partial<NodeRecord>): void {
    const now = Date.now();
    const fresh: NodeRecord = {
      id: nodeId,
      version: 0,
      epoch: 0,
      expiration: 0,
      updatedAt: now,
      draining: false,
      membership: "active",
      upgrading: false,
      leasesFrom: 0,
      leaseWeight: 1,
      replicaWeight: 1,
      jobs: [],
      clients: [],
    };
    const known = this.gossip.records.get(nodeId) ?? fresh;
    const records = new Map([
      ...this.gossip.records,
      [
        nodeId,
        { ...known, ...marks, version: known.version + (nodeId === this.identity?.nodeId ? 1 : 1000) },
      ],
    ]);
    this.gossip = { ...this.gossip, records };
  }

  #keep(): void {
    const peers = [...this.#peers];
    const kept = { peers, records: [...this.gossip.records.values()], settings: [...this.gossip.settings] };
    keep(this.options.store, this.identity === undefined ? kept : { identity: this.identity, ...kept });
  }
}
