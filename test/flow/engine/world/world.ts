/**
 * Nodes, agents, network and store around the real engine. The network takes a millisecond; everything runs on
 * the virtual clock.
 */
import type { AuditEntry } from "#coordinator/domain/audit.ts";
import type { ClaimRecord } from "#coordinator/domain/claim.ts";
import type { LockRecord } from "#coordinator/domain/lock.ts";
import type { RolloutEvent } from "#coordinator/domain/rollout/event.ts";
import type { NodeStanding } from "#coordinator/domain/standing.ts";
import type { InventoryRecord } from "#coordinator/engine/inventory-book.ts";
import type { NodeReport } from "#proto/common/report.ts";
import { memoryDocuments } from "#test/doubles/memory/documents.ts";
import { memoryEventLog } from "#test/doubles/memory/event-log.ts";
import { memoryRegister } from "#test/doubles/memory/register.ts";
import type { VirtualClock } from "../virtual-clock.ts";
import type { Node } from "./node.ts";
import { SimAgent } from "./sim-agent.ts";
import { SimCoordinator } from "./sim-coordinator.ts";

export class World {
  readonly clock: VirtualClock;
  readonly names = ["db1", "db2", "db3"];
  readonly nodes = new Map<string, Node>();
  readonly agents = new Map<string, SimAgent>();
  readonly stores = {
    locks: memoryRegister<LockRecord>(),
    claims: memoryRegister<ClaimRecord>(),
    standings: memoryRegister<NodeStanding>(),
    inventory: memoryRegister<InventoryRecord>(),
    log: memoryEventLog<RolloutEvent>(),
    audit: memoryEventLog<AuditEntry>(),
    documents: memoryDocuments(() => 0),
  };
  readonly inventory = {
    format: 1 as const,
    clusters: [
      {
        name: "c",
        engine: "tiny",
        topology: "any",
        deployment: "any",
        gates: { everyMs: 1_000, dwellMs: 3_000, limitMs: 60_000 },
        settings: {},
        windows: [],
        nodes: this.names.map((name) => ({ name, address: name })),
      },
    ],
  };
  readonly warnings: string[] = [];
  /** What an invariant saw broken. */
  readonly violations: string[] = [];
  coordinator: SimCoordinator | undefined;
  #ids = 0;
  #lives = 0;
  /** Called at each durable write of an agent: where a test kills it. */
  onWrite: (agent: SimAgent) => void = () => {};

  constructor(clock: VirtualClock) {
    this.clock = clock;
    for (const name of this.names) {
      const node: Node = { name, up: true, version: "1", starts: new Map(), failsAt: undefined };
      this.nodes.set(name, node);
      this.agents.set(name, new SimAgent(this, node));
    }
  }

  async begin(): Promise<void> {
    await this.stores.inventory.swap(
      "inventory",
      { format: 1, fileName: "f", yaml: "", removed: [], appliedAt: "" },
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

  async settle(ms: number): Promise<void> {
    let over = false;
    this.clock.after(ms, () => {
      over = true;
    });
    await this.clock.until(() => over);
  }

  wrote(agent: SimAgent): void {
    this.onWrite(agent);
  }

  /** I1, as users feel it: two nodes are never down at once. */
  look(): void {
    const down = [...this.nodes.values()].filter(({ up }) => !up).map(({ name }) => name);
    if (down.length > 1) this.violations.push(`down at once: ${down.join(", ")}`);
  }

  report(node: string): NodeReport {
    const { up, version } = this.nodes.get(node) ?? { up: false, version: "?" };
    return {
      format: 1,
      node,
      takenAt: new Date(this.clock.now()).toISOString(),
      depth: "gate",
      engine: "tiny",
      host: {} as never,
      facts: { up, version },
    };
  }

  id(prefix: string): string {
    this.#ids += 1;
    return `${prefix}${this.#ids}`;
  }

  async apply(): Promise<string> {
    const application = this.coordinator?.application;
    let rollout = "";
    const applying = (async () => {
      const plan = await application?.makePlan({ cluster: "c", version: "2" });
      if (plan?.ok !== true) throw new Error(JSON.stringify(plan));
      const applied = await application?.apply("op", { plan: plan.value, approveEach: false, words: [] });
      if (applied?.ok !== true) throw new Error(JSON.stringify(applied));
      rollout = applied.value;
    })();
    let failed: Error | undefined;
    applying.catch((error: Error) => {
      failed = error;
    });
    await this.clock.until(() => rollout !== "" || failed !== undefined, 60_000);
    if (failed !== undefined) throw failed;
    return rollout;
  }

  async facts(rollout: string): Promise<readonly RolloutEvent["fact"][]> {
    return (await this.stores.log.read(rollout)).map(({ fact }) => fact);
  }
}
