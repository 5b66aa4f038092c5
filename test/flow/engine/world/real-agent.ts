/** The whole agent of the product over a disk in memory, without its network: kept over its deaths is its disk. */
import { Agent } from "#agent/agent.ts";
import type { ToolRunner } from "#agent/host/tool-runner.ts";
import type { DeedTools } from "#agent/program/deed-context.ts";
import type { Disk } from "#agent/program/disk.ts";
import { Ledger } from "#agent/program/ledger.ts";
import { LockSide } from "#agent/program/lock-side.ts";
import { Runner } from "#agent/program/runner.ts";
import { Tools } from "#agent/program/tools.ts";
import { Undoer } from "#agent/program/undo.ts";
import { vocabularyOf } from "#agent/program/vocabulary.ts";
import { Watches } from "#agent/program/watches.ts";
import { eventMessage } from "#agent/program/wire.ts";
import { contract } from "#proto/common/contract.ts";
import { failure } from "#proto/common/failure.ts";
import type { ConnectRequest, ConnectResponse } from "#proto/gen/lockkeeper/v1/agent_pb.ts";
import { ForgetfulDisk } from "#test/doubles/disk/forgetful-disk.ts";
import { latencyMs, type Node } from "./node.ts";
import type { SimCoordinator } from "./sim-coordinator.ts";
import { tinyVerbs } from "./verbs.ts";
import type { World } from "./world.ts";

type Out = NonNullable<ConnectResponse["message"]>;
type In = NonNullable<ConnectRequest["message"]>;

interface Stream {
  readonly to: SimCoordinator;
  readonly have: ReadonlyMap<string, number>;
  sent: number;
}

const redialMs = 200;

/** From a start to a death. */
class Life {
  readonly agent: Agent;
  readonly ledger: Ledger;
  alive = true;
  stream: Stream | undefined;

  constructor(world: World, node: Node, ledger: Ledger, send: (life: Life, message: In) => boolean) {
    this.ledger = ledger;
    const { clock } = world;
    const say = (message: In) => send(this, message);
    const time = { clock, bootId: "b", uptimeMs: () => clock.monotonicMs() };
    const tools = new Tools({ ledger, time, preferred: noTools, runners: [noTools] });
    const deeds: DeedTools = {
      vocabulary: vocabularyOf(
        tinyVerbs({
          node,
          alive: () => this.alive,
          reach: () => world.reachOf(node.name),
          changed: () => world.look(),
        }),
      ),
      host: {
        path: (path) => path,
        clock,
        stateDir: "/none",
        look: () => Promise.reject(new Error("no looks")),
      },
      tools,
      time,
      fetchArtefact: () => Promise.resolve({ failure: failure("artefact.not-fetched") }),
      leaving: new AbortController().signal,
    };
    const onError = (error: unknown) => {
      if (this.alive) world.violations.push(`${node.name}: ${String(error)}`);
    };
    const lock = new LockSide({ ledger, clock, send: say, attached: () => this.stream !== undefined });
    const undoer = new Undoer({ ledger, deeds, lock, onError });
    this.agent = new Agent({
      discardParcels: () => Promise.resolve(),
      self: { node: node.name, agentVersion: "0", contract: contract.current, bootId: "b", engine: "tiny" },
      ledger,
      deeds,
      lock,
      runner: new Runner({ ledger, deeds, lock, undoer }),
      undoer,
      watches: new Watches({ ledger, deeds, onError }),
      send: say,
      takeHealth: () => undefined,
      onFatal: onError,
    });
    this.attached = () => lock.lookAgain();
  }

  readonly attached: () => void;
}

export class RealAgent {
  readonly node: Node;
  readonly #world: World;
  #disk = new ForgetfulDisk();
  #folders = 1;
  #life: Life | undefined;
  #lives = 0;
  #stream = 0;
  /** Up, and not cut from the coordinator. */
  alive = false;
  #cut = false;

  constructor(world: World, node: Node) {
    this.node = node;
    this.#world = world;
  }

  start(): void {
    this.alive = !this.#cut;
    this.#lives += 1;
    void this.#wake(this.#lives);
  }

  /** As SIGKILL: what was not synced is gone. */
  kill(): void {
    this.alive = false;
    this.#lives += 1;
    if (this.#life !== undefined) {
      this.#life.alive = false;
      this.#life.stream = undefined;
    }
    this.#life = undefined;
    this.#disk.crash(() => 0);
    this.#world.coordinator?.lost(this.node.name);
  }

  /** As after a reinstallation: it comes back under its name with an empty state folder. */
  loseMemory(): void {
    this.kill();
    this.#disk = new ForgetfulDisk();
    this.#folders += 1;
    this.start();
  }

  /** The host lives on, its messages do not get through. */
  cut(): void {
    this.#cut = true;
    this.alive = false;
    if (this.#life !== undefined) this.#life.stream = undefined;
    this.#world.coordinator?.lost(this.node.name);
  }

  mend(): void {
    this.#cut = false;
    this.alive = this.#life !== undefined;
    this.dial();
  }

  dial(): void {
    const life = this.#life;
    if (life === undefined) return;
    life.stream = undefined;
    this.#world.clock.after(latencyMs, () => this.#attach(life));
  }

  hear(message: Out): void {
    const life = this.#life;
    const stream = life?.stream;
    this.#world.clock.after(latencyMs, () => {
      if (life?.alive === true && stream !== undefined && life.stream === stream) life.agent.receive(message);
    });
  }

  /** What the agent would tell of itself now. */
  hello() {
    return this.#life?.agent.hello();
  }

  async #wake(number: number): Promise<void> {
    const { clock } = this.#world;
    const opened = await Ledger.open({
      disk: this.#watched(),
      path: "journal",
      clock,
      makeStateId: () => `state-${this.node.name}-${this.#folders}`,
    });
    if (number !== this.#lives || !opened.ok) return;
    const { ledger } = opened.value;
    const life = new Life(this.#world, this.node, ledger, (from, message) => this.#send(from, message));
    this.#life = life;
    ledger.onAppend(() => this.#pump(life));
    this.dial();
    await life.agent.wake();
  }

  #attach(life: Life): void {
    if (!life.alive || life !== this.#life || this.#cut || life.stream !== undefined) return;
    const { clock, coordinator } = this.#world;
    if (coordinator === undefined) {
      clock.after(redialMs, () => this.#attach(life));
      return;
    }
    this.#stream += 1;
    const have = coordinator.attach({
      node: this.node.name,
      stream: this.#stream,
      lastWordMs: clock.monotonicMs(),
      from: "10.0.0.1",
      hello: life.agent.hello(),
    });
    life.stream = { to: coordinator, have, sent: 0 };
    life.attached();
    this.#pump(life);
  }

  #send(life: Life, message: In): boolean {
    const { stream } = life;
    if (!life.alive || stream === undefined) return false;
    this.#world.clock.after(latencyMs, () => {
      if (stream.to === this.#world.coordinator && life.stream === stream)
        stream.to.hear(this.node.name, message);
    });
    return true;
  }

  #pump(life: Life): void {
    const { stream } = life;
    if (stream === undefined || !life.alive) return;
    for (;;) {
      const event = life.ledger.nextEvent(stream.sent);
      if (event === undefined) return;
      stream.sent = event.n;
      if (event.n > (stream.have.get(event.rollout) ?? 0)) this.#send(life, eventMessage(event));
    }
  }

  /** Every sync is a place where a test may kill this agent. */
  #watched(): Disk {
    const disk = this.#disk;
    return {
      read: (path) => disk.read(path),
      replace: (path, content) => disk.replace(path, content),
      open: async (path) => {
        const file = await disk.open(path);
        return {
          append: (bytes) => file.append(bytes),
          truncate: (bytes) => file.truncate(bytes),
          close: () => file.close(),
          sync: async () => {
            await file.sync();
            const life = this.#lives;
            this.#world.onWrite(this);
            // killed in this very write: it is durable, and nobody is told of it
            if (life !== this.#lives) await new Promise(() => undefined);
          },
        };
      },
    };
  }
}

const noTools: ToolRunner = {
  kind: "group",
  discard: () => Promise.resolve(),
  tail: () => Promise.resolve(""),
  start: () => Promise.reject(new Error("no tools")),
  look: () => Promise.resolve({ state: "never" }),
  end: () => Promise.resolve(),
  release: () => Promise.resolve(),
};
