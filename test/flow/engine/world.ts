/**
 * Nodes, agents, network and store around the real engine. Agents keep what they have "fsynced" over a death,
 * and decide by the real fence; the network takes a millisecond; everything runs on the virtual clock.
 */
import {
  answerEnter,
  answerNotice,
  answerProgram,
  type FencedProgram,
  type Fencing,
} from "#agent/program/fence.ts";
import type { AuditEntry } from "#coordinator/domain/audit.ts";
import type { ClaimRecord } from "#coordinator/domain/claim.ts";
import type { LockRecord } from "#coordinator/domain/lock.ts";
import type { RolloutEvent } from "#coordinator/domain/rollout/event.ts";
import type { RolloutState } from "#coordinator/domain/rollout/state.ts";
import type { NodeStanding } from "#coordinator/domain/standing.ts";
import { AgentDesk } from "#coordinator/engine/agent-desk.ts";
import { AgentReports } from "#coordinator/engine/agent-reports.ts";
import { Application } from "#coordinator/engine/application.ts";
import { AuditTrail } from "#coordinator/engine/audit-trail.ts";
import { Claims } from "#coordinator/engine/claims.ts";
import { Drivers } from "#coordinator/engine/drivers.ts";
import type { InventoryRecord } from "#coordinator/engine/inventory-book.ts";
import { InventoryBook } from "#coordinator/engine/inventory-book.ts";
import { LockDeeds } from "#coordinator/engine/lock-deeds.ts";
import { Planning } from "#coordinator/engine/planning.ts";
import type { Presence } from "#coordinator/engine/ports.ts";
import { driverTiming } from "#coordinator/engine/rollout-desk.ts";
import { Snapshots } from "#coordinator/engine/snapshots.ts";
import type { SurveyedFleet } from "#coordinator/engine/survey.ts";
import { fail, succeed } from "#proto/common/failure.ts";
import type { NodeReport } from "#proto/common/report.ts";
import type { ConnectRequest, ConnectResponse } from "#proto/gen/lockkeeper/v1/agent_pb.ts";
import { ProgramStanding } from "#proto/gen/lockkeeper/v1/agent_pb.ts";
import {
  type Program,
  type ProgramEnded,
  ProgramOutcome,
  StepClass,
  type StepEvent,
  StepPhase,
} from "#proto/gen/lockkeeper/v1/program_pb.ts";
import { memoryDocuments } from "#test/doubles/memory/documents.ts";
import { memoryEventLog } from "#test/doubles/memory/event-log.ts";
import { memoryRegister } from "#test/doubles/memory/register.ts";
import { tiny } from "./tiny.ts";
import type { VirtualClock } from "./virtual-clock.ts";

type Out = NonNullable<ConnectResponse["message"]>;
type In = NonNullable<ConnectRequest["message"]>;

/** What a host's disk and database hold: it outlives agents and coordinators. */
export interface Node {
  readonly name: string;
  up: boolean;
  version: string;
  /** Starts of changing steps, by step and attempt. */
  readonly starts: Map<string, number>;
  failsAt: string | undefined;
}

interface Disk {
  stateId: string;
  highest: Map<string, Fencing>;
  program:
    | (FencedProgram & {
        readonly message: Program;
        done: string[];
        started: string | undefined;
        outcome: ProgramOutcome | undefined;
      })
    | undefined;
  events: { readonly sequence: number; readonly rollout: string; readonly said: In }[];
  sequence: number;
}

const latencyMs = 1;
const stepMs = 100;

export class SimAgent {
  readonly node: Node;
  readonly disk: Disk;
  readonly #world: World;
  #life = 0;
  #stream = 0;
  alive = false;

  constructor(world: World, node: Node) {
    this.#world = world;
    this.node = node;
    this.disk = {
      stateId: `state-${node.name}`,
      highest: new Map(),
      program: undefined,
      events: [],
      sequence: 0,
    };
  }

  start(): void {
    this.alive = true;
    this.#life += 1;
    const program = this.disk.program;
    // an agent that died before it entered has given up: nothing was begun
    if (program !== undefined && (program.standing === "entering" || program.standing === "waiting")) {
      this.disk.program = undefined;
      this.#ended(program.message, ProgramOutcome.NEVER_BEGUN, "");
    }
    this.dial();
    if (this.disk.program?.standing === "in-flight") void this.#run(this.#life);
  }

  kill(): void {
    this.alive = false;
    this.#life += 1;
    this.#world.coordinator?.lost(this.node.name);
  }

  dial(): void {
    const world = this.#world;
    const life = this.#life;
    world.clock.after(latencyMs, () => {
      if (!this.alive || life !== this.#life) return;
      if (world.coordinator === undefined) {
        world.clock.after(200, () => this.alive && life === this.#life && this.dial());
        return;
      }
      this.#stream += 1;
      const program = this.disk.program;
      const presence: Presence = {
        node: this.node.name,
        stream: this.#stream,
        lastWordMs: world.clock.monotonicMs(),
        hello: {
          node: this.node.name,
          agentVersion: "sim",
          contract: 1,
          bootId: "b",
          stateId: this.disk.stateId,
          highest: [...this.disk.highest.values()],
          abandoned: [],
          engine: "tiny",
          auditHead: "",
          ...(program === undefined
            ? {}
            : {
                unfinished: {
                  ...program,
                  standing:
                    program.standing === "in-flight"
                      ? ProgramStanding.IN_FLIGHT
                      : program.standing === "ended"
                        ? ProgramStanding.ENDED
                        : ProgramStanding.WAITING,
                },
              }),
        },
      };
      const have = world.coordinator.attach(presence);
      for (const { sequence, rollout, said } of this.disk.events)
        if (sequence > (have.get(rollout) ?? 0)) this.#say(said);
    });
  }

  hear(message: Out): void {
    const life = this.#life;
    this.#world.clock.after(latencyMs, () => {
      if (this.alive && life === this.#life) this.#hear(message);
    });
  }

  #hear(message: Out): void {
    const view = { highest: this.disk.highest, program: this.disk.program };
    switch (message.$case) {
      case "epochNotice": {
        const { cluster, epoch, nonce } = message.value;
        const answer = answerNotice(view, { cluster, epoch, nonce });
        if (answer.says === "yes") {
          this.disk.highest.set(cluster, { cluster, epoch, nonce });
          if (answer.drops !== undefined) this.disk.program = undefined;
          this.#world.wrote(this);
        }
        const refusal =
          answer.says === "no" ? { refusal: { code: answer.why.code, facts: { ...answer.why.facts } } } : {};
        this.#say({
          $case: "epochSeen",
          value: { cluster, epoch, nonce, accepted: answer.says === "yes", ...refusal },
        });
        return;
      }
      case "runProgram":
        this.#take(message.value.program);
        return;
      case "enterGranted": {
        if (answerEnter(view, message.value, 0).says === "no") return;
        this.#setStanding("in-flight");
        this.#world.wrote(this);
        void this.#run(this.#life);
        return;
      }
      case "programFreed":
        if (this.disk.program?.epoch === message.value.epoch) this.disk.program = undefined;
        return;
      case "stopProgram":
      case "enterRefused":
      case "ack":
      case "rolloutClosed":
      case "welcome":
      case "takeHealth":
      case "makeHoldPermanent":
      case "armWatch":
      case "disarmWatch":
        return;
    }
  }

  #take(message: Program | undefined): void {
    if (message === undefined) return;
    const { rollout, stage, attempt, cluster, epoch, nonce } = message;
    const wanted = { rollout, stage, attempt, cluster, epoch, nonce };
    if (epoch === 0) return void this.#observe(message);
    const held = this.disk.program;
    const answer = answerProgram({ highest: this.disk.highest, program: held }, wanted);
    if (answer.says === "no") {
      this.#say({
        $case: "programAccepted",
        value: {
          rollout,
          stage,
          attempt,
          epoch,
          accepted: false,
          refusal: { code: answer.why.code, facts: { ...answer.why.facts } },
        },
      });
      return;
    }
    if (held !== undefined && held.stage === stage && held.attempt === attempt) return;
    this.disk.program = {
      ...wanted,
      standing: "entering",
      message,
      done: [],
      started: undefined,
      outcome: undefined,
    };
    this.#world.wrote(this);
    this.#say({ $case: "programAccepted", value: { rollout, stage, attempt, epoch, accepted: true } });
    this.#say({ $case: "enterRequest", value: { cluster, rollout, stage, epoch, nonce } });
    this.#world.clock.after(5_000, () => this.#giveUpEnter(wanted));
  }

  #giveUpEnter({ cluster, epoch, nonce, rollout, stage, attempt }: Omit<FencedProgram, "standing">): void {
    const program = this.disk.program;
    if (
      !this.alive ||
      program?.standing !== "entering" ||
      program.epoch !== epoch ||
      program.attempt !== attempt
    )
      return;
    this.disk.program = undefined;
    this.#say({ $case: "enterAbandoned", value: { cluster, epoch, nonce } });
    this.#tell(rollout, (sequence) => ({
      $case: "programEnded",
      value: {
        sequence,
        rollout,
        stage,
        attempt,
        epoch,
        outcome: ProgramOutcome.NEVER_BEGUN,
        step: "",
        at: undefined,
      } as ProgramEnded,
    }));
  }

  async #observe(message: Program): Promise<void> {
    const life = this.#life;
    await this.#world.clock.sleep(stepMs);
    if (!this.alive || life !== this.#life) return;
    this.#ended(message, ProgramOutcome.DONE, "");
  }

  async #run(life: number): Promise<void> {
    const program = this.disk.program;
    if (program === undefined) return;
    for (const { id, class: stepClass } of program.message.steps) {
      if (program.done.includes(id)) continue;
      const resumed = program.started === id;
      program.started = id;
      this.#world.wrote(this);
      if (life !== this.#life) return;
      this.#step(program.message, id, StepPhase.STARTED);
      const changes = stepClass !== StepClass.OBSERVE;
      // after a death the probe decides: what the world shows as done is not started again
      const found = changes && this.#isDone(id);
      if (changes && !found) {
        const key = `${program.stage}#${program.attempt} ${id}`;
        if (!resumed || !this.node.starts.has(key))
          this.node.starts.set(key, (this.node.starts.get(key) ?? 0) + 1);
      }
      await this.#world.clock.sleep(stepMs);
      if (life !== this.#life) return;
      if (this.node.failsAt === id) {
        this.#step(program.message, id, StepPhase.FAILED);
        return this.#finish(program.message, ProgramOutcome.FAILED, id);
      }
      if (!found) this.#do(id);
      program.done.push(id);
      this.#world.wrote(this);
      if (life !== this.#life) return;
      this.#step(program.message, id, found ? StepPhase.FOUND_DONE : StepPhase.DONE);
    }
    this.#finish(program.message, ProgramOutcome.DONE, "");
  }

  #isDone(id: string): boolean {
    if (id === "stop") return !this.node.up;
    if (id === "upgrade") return this.node.version === "2";
    return id === "start" ? this.node.up : false;
  }

  #do(id: string): void {
    if (id === "stop") this.node.up = false;
    if (id === "upgrade") this.node.version = "2";
    if (id === "start") this.node.up = true;
    this.#world.look();
  }

  #finish(message: Program, outcome: ProgramOutcome, step: string): void {
    if (this.disk.program !== undefined) {
      this.#setStanding("ended");
      this.disk.program.outcome = outcome;
    }
    this.#ended(message, outcome, step);
    this.#world.wrote(this);
  }

  #setStanding(standing: FencedProgram["standing"]): void {
    if (this.disk.program !== undefined) this.disk.program = { ...this.disk.program, standing };
  }

  #ended({ rollout, stage, attempt, epoch }: Program, outcome: ProgramOutcome, step: string): void {
    const why = outcome === ProgramOutcome.FAILED ? { failure: { code: "tiny.failed", facts: {} } } : {};
    this.#tell(rollout, (sequence) => ({
      $case: "programEnded",
      value: {
        sequence,
        rollout,
        stage,
        attempt,
        epoch,
        outcome,
        step,
        at: undefined,
        ...why,
      } as ProgramEnded,
    }));
  }

  #step({ rollout, stage, attempt }: Program, step: string, phase: StepEvent["phase"]): void {
    this.#tell(rollout, (sequence) => ({
      $case: "stepEvent",
      value: {
        sequence,
        rollout,
        stage,
        attempt,
        step,
        phase,
        at: undefined,
        elapsedMs: stepMs,
        outputs: {},
        tail: "",
        runner: "",
      } as StepEvent,
    }));
  }

  #tell(rollout: string, make: (sequence: number) => In): void {
    this.disk.sequence += 1;
    const said = make(this.disk.sequence);
    this.disk.events.push({ sequence: this.disk.sequence, rollout, said });
    this.#say(said);
  }

  #say(message: In): void {
    const to = this.#world.coordinator;
    this.#world.clock.after(
      latencyMs,
      () =>
        to !== undefined && to === this.#world.coordinator && this.alive && to.hear(this.node.name, message),
    );
  }
}

/** One life of a coordinator over stores that outlive it. */
export class SimCoordinator {
  readonly application: Application;
  readonly drivers: Drivers;
  readonly #desk: AgentDesk;
  readonly #inventory: InventoryBook;
  readonly #present = new Map<string, Presence>();
  readonly #claims: Claims;

  constructor(world: World, name: string) {
    const { clock, stores } = world;
    const random = () => 0.5;
    const reports = new AgentReports();
    const reader = { read: () => succeed(world.inventory), changes: () => [] };
    this.#inventory = new InventoryBook(stores.inventory, reader, { clock, random });
    const members = () => world.names;
    const fleet: SurveyedFleet & { doubled(): readonly string[] } = {
      presence: (node) => this.#present.get(node),
      send: (node, message) => {
        const agent = world.agents.get(node);
        if (!this.#present.has(node) || agent === undefined || !agent.alive) return false;
        agent.hear(message);
        return true;
      },
      takeReport: async (node) => {
        await clock.sleep(latencyMs * 2);
        return this.#present.has(node) ? succeed(world.report(node)) : fail("node.unreachable", { node });
      },
      lastReport: () => undefined,
      clockOffset: () => ({ offsetMs: 0, errorMs: 0 }),
      doubled: () => [],
    };
    const deeds = new LockDeeds({
      locks: stores.locks,
      standings: stores.standings,
      reports,
      clock,
      random,
      coordinator: name,
      members,
    });
    this.#claims = new Claims({ register: stores.claims, clock, random });
    const planning = new Planning({
      fleet,
      clock,
      hash: (text) => String(text.length),
      cluster: () => world.inventory.clusters[0],
      playbook: () => tiny,
      artefact: async () => undefined,
    });
    const snapshots = new Snapshots({
      documents: stores.documents,
      fleet,
      clock,
      newId: () => world.id("s"),
      locks: stores.locks,
      claims: stores.claims,
      retention: { keepCount: 1_000, keepMs: 1e12 },
      playbook: () => tiny,
      wordsInForce: () => [],
    });
    this.drivers = new Drivers({
      log: stores.log,
      clock,
      random,
      coordinator: name,
      nodesOf: () => world.names,
      redial: (node) => {
        const agent = world.agents.get(node);
        if (agent?.alive !== true) return;
        this.lost(node);
        agent.dial();
      },
      warn: (text, facts) => world.warnings.push(`${text} ${JSON.stringify(facts)}`),
      means: (state: RolloutState) => ({
        fleet,
        reports,
        deeds,
        clock,
        random,
        members,
        nonce: () => world.id("n"),
        gates: tiny.gates,
        lookBeforeGrant: (now, stage) => planning.lookBeforeGrant(now, stage),
        takeSnapshot: async () => succeed(world.id("s")),
        ended: async (now) => this.#claims.releaseAll(now.plan.clusters, { rollout: state.id, by: name }),
        timing: driverTiming,
      }),
    });
    this.#desk = new AgentDesk({
      reports,
      deeds,
      drivers: this.drivers,
      fleet: () => fleet,
      warn: (text) => world.warnings.push(text),
    });
    this.application = new Application({
      clock,
      random,
      fleet,
      log: stores.log,
      audit: new AuditTrail(stores.audit, (text) => String(text.length), clock),
      claims: this.#claims,
      drivers: this.drivers,
      deeds,
      planning,
      snapshots,
      inventory: this.#inventory,
      newRolloutId: () => world.id("r"),
      playbook: () => tiny,
      leader: () => ({ leads: true, address: "" }),
      insecure: false,
      doctor: async () => [],
    });
  }

  async lead(): Promise<void> {
    await this.#inventory.load();
    for (const rollout of await this.#claims.open()) this.drivers.start(rollout, true);
  }

  attach(presence: Presence): ReadonlyMap<string, number> {
    this.#present.set(presence.node, presence);
    const have = new Map(
      this.#desk.positions(presence.node).map(({ rollout, sequence }) => [rollout, sequence]),
    );
    this.#desk.attached(presence);
    return have;
  }

  lost(node: string): void {
    if (this.#present.delete(node)) this.#desk.detached(node);
  }

  hear(node: string, message: In): void {
    if (this.#present.has(node)) this.#desk.said(node, message);
  }
}

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
