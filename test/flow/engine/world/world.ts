/**
 * Nodes, agents, network and store around the real engine. The network takes a millisecond; everything runs on
 * the virtual clock.
 */
import type { AuditEntry } from "#coordinator/domain/audit.ts";
import type { ClaimRecord } from "#coordinator/domain/claim.ts";
import type { ClusterEntry, Inventory } from "#coordinator/domain/inventory.ts";
import type { LockRecord } from "#coordinator/domain/lock.ts";
import type { Plan } from "#coordinator/domain/plan.ts";
import type { RolloutEvent } from "#coordinator/domain/rollout/event.ts";
import type { Snapshot } from "#coordinator/domain/snapshot/snapshot.ts";
import type { NodeStanding } from "#coordinator/domain/standing.ts";
import { toProgram } from "#coordinator/engine/agents/wire.ts";
import type { Begun, GivenWord, Order } from "#coordinator/engine/orders/application-means.ts";
import type { InventoryRecord } from "#coordinator/engine/orders/inventory-book.ts";
import type { Outcome } from "#proto/common/failure.ts";
import type { NodeReport } from "#proto/common/report.ts";
import type { Program } from "#proto/gen/lockkeeper/v1/program_pb.ts";
import { memoryDocuments } from "#test/doubles/memory/documents.ts";
import { memoryEventLog } from "#test/doubles/memory/event-log.ts";
import { memoryRegister } from "#test/doubles/memory/register.ts";
import { tinySteps } from "../tiny-shapes.ts";
import type { VirtualClock } from "../virtual-clock.ts";
import { freshNode, type Node } from "./node.ts";
import { RealAgent } from "./real-agent.ts";
import { SimCoordinator } from "./sim-coordinator.ts";

/** Clusters with their nodes. */
export type Shape = Readonly<Record<string, readonly string[]>>;

export interface ApplyShape {
  readonly cluster?: string;
  readonly method?: string;
  readonly into?: string;
  readonly approveEach?: boolean;
  readonly stopAfterNodes?: number;
  readonly words?: readonly GivenWord[];
}

export interface OrderShape {
  readonly node?: string;
  readonly words?: readonly GivenWord[];
  readonly reason?: string;
}

function inventoryOf(shape: Shape): Inventory {
  const clusters = Object.entries(shape).map(
    ([name, nodes]): ClusterEntry => ({
      name,
      engine: "tiny",
      topology: "any",
      deployment: "any",
      gates: { everyMs: 1_000, dwellMs: 3_000, limitMs: 60_000 },
      settings: {},
      windows: [],
      nodes: nodes.map((node) => ({ name: node, address: node })),
    }),
  );
  return { format: 1, clusters };
}

export class World {
  readonly clock: VirtualClock;
  readonly nodes = new Map<string, Node>();
  readonly agents = new Map<string, RealAgent>();
  readonly stores = {
    locks: this.#register<LockRecord>(),
    claims: this.#register<ClaimRecord>(),
    standings: this.#register<NodeStanding>(),
    inventory: memoryRegister<InventoryRecord>(),
    log: this.#log<RolloutEvent>(),
    audit: this.#log<AuditEntry>(),
    documents: memoryDocuments<Snapshot>(() => this.clock.now()),
  };
  /** As the file has it; a test may change windows and freeze at any time. */
  readonly inventory: Inventory;
  /** The present plan stops all nodes on purpose. */
  #offline = false;
  readonly warnings: string[] = [];
  /** What an invariant saw broken. */
  readonly violations: string[] = [];
  coordinator: SimCoordinator | undefined;
  #ids = 0;
  #lives = 0;
  /** Called at each durable write of an agent: where a test kills it. */
  onWrite: (agent: RealAgent) => void = () => {};
  /** Called at each write of the coordinator to its store: where a test kills it. */
  onStored: () => void = () => {};

  constructor(clock: VirtualClock, shape: Shape = { c: ["db1", "db2", "db3"] }) {
    this.clock = clock;
    this.inventory = inventoryOf(shape);
    for (const name of Object.values(shape).flat()) {
      const node = freshNode(name);
      this.nodes.set(name, node);
      this.agents.set(name, new RealAgent(this, node));
    }
  }

  get names(): readonly string[] {
    return [...this.nodes.keys()];
  }

  node(name: string): Node {
    const found = this.nodes.get(name);
    if (found === undefined) throw new Error(`no node ${name}`);
    return found;
  }

  agent(name: string): RealAgent {
    const found = this.agents.get(name);
    if (found === undefined) throw new Error(`no agent ${name}`);
    return found;
  }

  cluster(name: string): ClusterEntry | undefined {
    return this.inventory.clusters.find((cluster) => cluster.name === name);
  }

  members(cluster: string): readonly string[] {
    return this.cluster(cluster)?.nodes.map(({ name }) => name) ?? [];
  }

  /** What a driver's tool on this node changes: its cluster. */
  reachOf(node: string): readonly Node[] {
    const cluster = this.inventory.clusters.find(({ nodes }) => nodes.some(({ name }) => name === node));
    return this.members(cluster?.name ?? "").map((name) => this.node(name));
  }

  /** Windows, freeze: as if the file was edited and applied. */
  edit(cluster: string, change: Partial<ClusterEntry>): void {
    const { clusters } = this.inventory;
    const index = clusters.findIndex(({ name }) => name === cluster);
    const found = clusters[index];
    if (found !== undefined) (clusters as ClusterEntry[])[index] = { ...found, ...change };
  }

  async begin(): Promise<void> {
    await this.stores.inventory.swap(
      "inventory",
      { format: 1, fileName: "f", yaml: "", removed: [], kept: [], appliedAt: "" },
      0,
    );
    await this.startCoordinator();
    for (const agent of this.agents.values()) agent.start();
    await this.clock.until(() =>
      this.names.every(
        (name) => this.coordinator?.application !== undefined && this.agents.get(name)?.alive === true,
      ),
    );
    await this.settle(50);
  }

  async startCoordinator(): Promise<void> {
    this.#lives += 1;
    this.coordinator = new SimCoordinator(this, `coordinator-${this.#lives}`);
    await this.coordinator.lead();
  }

  /** As SIGKILL: nothing of it acts any more, its streams are gone. */
  killCoordinator(): void {
    const dead = this.coordinator;
    this.coordinator = undefined;
    void dead?.drivers.stopAll();
    for (const agent of this.agents.values()) if (agent.alive) agent.dial();
  }

  /** NATS comes back with an empty store; the inventory is applied anew. */
  async loseStore(): Promise<void> {
    const { locks, claims, standings, log, audit } = this.stores;
    for (const register of [locks, claims, standings])
      for (const key of await register.keys()) register.forget(key, Number.POSITIVE_INFINITY);
    for (const each of [log, audit]) for (const subject of await each.subjects()) each.forget(subject);
  }

  async settle(ms: number): Promise<void> {
    let over = false;
    this.clock.after(ms, () => {
      over = true;
    });
    await this.clock.until(() => over, ms + 1);
  }

  /** I1, as users feel it: two nodes of a cluster are never down at once, where the plan is not to stop them all. */
  look(): void {
    if (this.#offline) return;
    for (const { name: cluster } of this.inventory.clusters) {
      const down = this.members(cluster).filter((name) => !this.node(name).up);
      if (down.length > 1) this.violations.push(`down at once: ${down.join(", ")}`);
    }
  }

  report(node: string): NodeReport {
    const { up, version, ill, torn, checks, blocker } = this.node(node);
    return {
      format: 1,
      node,
      takenAt: new Date(this.clock.now()).toISOString(),
      depth: "gate",
      engine: "tiny",
      host: {} as never,
      facts: { up, version, ill, torn, checks: { ...checks }, blocker },
    };
  }

  #register<T>() {
    const store = memoryRegister<T>();
    return { ...store, swap: this.#heard(store.swap) };
  }

  #log<E extends { readonly sequence: number }>() {
    const store = memoryEventLog<E>();
    return { ...store, append: this.#heard(store.append) };
  }

  /** A coordinator killed in this very write: it is stored, and nobody is told of it. */
  #heard<A extends readonly unknown[], R>(write: (...args: A) => Promise<R>): (...args: A) => Promise<R> {
    return async (...args) => {
      const writer = this.coordinator;
      const result = await write(...args);
      this.onStored();
      if (this.coordinator !== writer) await new Promise(() => undefined);
      return result;
    };
  }

  id(prefix: string): string {
    this.#ids += 1;
    return `${prefix}${this.#ids}`;
  }

  /** Lets time pass until it has its answer. */
  async during<T>(work: Promise<T> | undefined): Promise<T> {
    let settled = false;
    const over = () => {
      settled = true;
    };
    work?.then(over, over);
    await this.clock.until(() => settled, 120_000);
    if (work === undefined) throw new Error("nobody to ask");
    return work;
  }

  /** Throws the refusal. */
  async apply(wish: ApplyShape = {}): Promise<string> {
    const applied = await this.tryApply(wish);
    if (!applied.ok) throw new Error(JSON.stringify(applied.failure));
    return applied.value.rollout;
  }

  async tryApply(wish: ApplyShape = {}): Promise<Outcome<Begun>> {
    const plan = await this.plan(wish);
    return plan.ok ? this.during(this.begins(plan.value, wish)) : plan;
  }

  async plan({ cluster = "c", method, into }: ApplyShape = {}): Promise<Outcome<Plan>> {
    const target = {
      cluster,
      version: "2",
      ...(method === undefined ? {} : { method }),
      ...(into === undefined ? {} : { into }),
    };
    const made = await this.during(this.coordinator?.application.makePlan(target));
    return made.ok ? made.value.plan : made;
  }

  /** Applied, and not waited for. */
  begins(plan: Plan, options: ApplyShape = {}): Promise<Outcome<Begun>> | undefined {
    this.#offline = plan.strategy === "offline";
    const { approveEach = false, words = [], stopAfterNodes } = options;
    return this.coordinator?.application.apply("op", {
      plan,
      approveEach,
      words,
      ...(stopAfterNodes === undefined ? {} : { stopAfterNodes }),
    });
  }

  async order(
    rollout: string,
    order: Order,
    { node, words = [], reason = "because" }: OrderShape = {},
  ): Promise<Outcome<void>> {
    const steered = this.coordinator?.application.steer("op", {
      rollout,
      order,
      reason,
      words,
      ...(node === undefined ? {} : { node }),
    });
    return this.during(steered);
  }

  /** A program that nobody in this world would send. */
  programFor(node: string, { epoch, nonce }: { readonly epoch: number; readonly nonce: string }): Program {
    const head = { rollout: "another", stage: "s", attempt: 1, epoch, nonce };
    return toProgram({ cluster: "c", node, steps: tinySteps }, head);
  }

  async facts(rollout: string): Promise<readonly RolloutEvent["fact"][]> {
    return (await this.stores.log.read(rollout)).map(({ fact }) => fact);
  }
}
