/** One coordinator process: its lease, its streams, and a driver that waits at some question. */
import {
  candidacy,
  type LeaderRecord,
  lease,
  mayAct,
  nextLeader,
  type Observation,
  observe,
  resign,
} from "#coordinator/domain/leader.ts";
import { AgentReports } from "#coordinator/engine/agents/agent-reports.ts";
import type { Answer, Ask, Mail, Steps } from "./asking.ts";
import { Driver } from "./driver.ts";
import type { Down, Stream, Up } from "./network.ts";
import type { World } from "./world.ts";

/** Above this a mail is lost: no history is about that. */
const maxMails = 200;

export class SimCoordinator {
  readonly index: number;
  readonly #world: World;
  readonly reports = new AgentReports();
  readonly #streams = new Map<string, Stream>();
  #mails: Mail[] = [];
  #driver: Steps<never> | undefined;
  /** What the driver waits for, and until when. */
  asks: Ask | undefined;
  #untilMs = 0;
  /** Came while the process was paused. */
  #answer: Answer | undefined;
  alive = true;
  paused = false;
  leads = false;
  /** New with each start, and with each driver: an answer to an earlier one is for nobody. */
  life = 1;
  #seen: Observation | undefined;
  #renewedAtMs: number | undefined;

  constructor(world: World, index: number) {
    this.#world = world;
    this.index = index;
  }

  get name(): string {
    return `co${this.index + 1}`;
  }

  get streams(): ReadonlyMap<string, Stream> {
    return this.#streams;
  }

  kill(): void {
    this.alive = false;
    this.paused = false;
    this.#end();
    this.#seen = undefined;
    this.#renewedAtMs = undefined;
  }

  start(): void {
    this.alive = true;
  }

  /** Stops in good order: the lease is given back, so that another need not wait it out. */
  resign(): void {
    const found = this.#world.leader.read();
    this.#end();
    if (found?.value.coordinator === this.name) this.#world.leader.swap(resign(found.value), found.revision);
    this.#renewedAtMs = undefined;
  }

  resume(): void {
    this.paused = false;
    const answer = this.#answer;
    this.#answer = undefined;
    if (answer !== undefined) this.#advance(answer);
    else this.look();
  }

  /** A beat of the lease; `heard` false where the store does not answer. */
  beat(heard: boolean): void {
    const { nowMs, leader } = this.#world;
    if (heard) {
      const found = leader.read();
      this.#seen = observe(this.#seen, found?.revision ?? 0, nowMs);
      if (candidacy(this.name, found?.value, this.#seen, nowMs) !== "wait") {
        const record: LeaderRecord = nextLeader(found?.value, { coordinator: this.name, address: "" }, "");
        if (leader.swap(record, found?.revision ?? 0).result === "written") this.#renewedAtMs = nowMs;
      } else this.#renewedAtMs = undefined;
    }
    const leads = mayAct(this.#renewedAtMs, nowMs, lease);
    if (leads === this.leads) return;
    this.#world.say(() => `${this.name} ${leads ? "leads" : "leads no more"}`);
    if (leads) this.#begin();
    else this.#end();
  }

  /** Beats as often as a living process does. */
  keepLease(): void {
    const dueMs = (this.#renewedAtMs ?? 0) + lease.beatMs;
    if (this.leads && !this.paused && this.#world.nowMs >= dueMs) this.beat(true);
  }

  #begin(): void {
    this.leads = true;
    const world = this.#world;
    const means = {
      get nowMs() {
        return world.nowMs;
      },
      name: this.name,
      members: world.nodes,
      reports: this.reports,
      rules: world.rules,
      send: (node: string, message: Down) => this.#send(node, message),
      redialAll: () => this.#redialAll(),
      pick: (n: number) => world.pick(n),
      freshMark: () => world.freshMark(),
    };
    this.#driver = new Driver(means).run();
    this.#settle(this.#driver.next().value);
  }

  #end(): void {
    this.leads = false;
    this.life += 1;
    this.#driver = undefined;
    this.asks = undefined;
    this.#answer = undefined;
    this.#mails = [];
    for (const node of this.#streams.keys()) this.reports.detached(node);
    this.#streams.clear();
  }

  /** Time has passed, or a mail has come. */
  look(): void {
    if (this.paused || this.asks === undefined) return;
    if (this.asks.ask === "mail" && this.#mails.length > 0) this.#advance({ mail: this.#mails.shift() });
    else if ((this.asks.ask === "mail" || this.asks.ask === "sleep") && this.#world.nowMs >= this.#untilMs)
      this.#advance({ mail: undefined });
  }

  /** When it would go on by itself; undefined while it waits for the store. */
  get wakesAtMs(): number | undefined {
    return this.asks?.ask === "mail" || this.asks?.ask === "sleep" ? this.#untilMs : undefined;
  }

  answered(life: number, answer: Answer): void {
    if (life !== this.life) return;
    if (this.paused) this.#answer = answer;
    else this.#advance(answer);
  }

  tell(mail: Mail): void {
    if (this.#driver !== undefined && this.#mails.length < maxMails) this.#mails.push(mail);
    this.look();
  }

  /** By node, the state ids that are reported and are not those under which the nodes were proven. */
  unproven(): Readonly<Record<string, string>> {
    const proven = this.#world.buckets.standings.read()?.value ?? {};
    const told = this.#world.nodes.map((node) => [node, this.reports.stateId(node)] as const);
    return Object.fromEntries(
      told.flatMap(([node, stateId]) =>
        stateId === undefined || stateId === proven[node] ? [] : [[node, stateId]],
      ),
    );
  }

  hear(stream: Stream, message: Up): void {
    const { node } = stream;
    if (stream.coordinatorLife !== this.life || !this.alive) return;
    if (message.$case === "hello") {
      if (!this.leads || (this.#streams.get(node)?.id ?? 0) > stream.id) return;
      this.#streams.set(node, stream);
      this.reports.attached({
        node,
        stream: stream.id,
        lastWordMs: 0,
        from: "10.0.0.1",
        hello: message.value,
      });
      this.tell({ kind: "attached", node });
      return;
    }
    if (this.#streams.get(node)?.id !== stream.id) return;
    if (message.$case === "gone") {
      this.#streams.delete(node);
      this.reports.detached(node);
      return;
    }
    this.reports.said(node, message);
    this.tell({ kind: "said", node, message });
  }

  #send(node: string, message: Down): boolean {
    const stream = this.#streams.get(node);
    if (stream === undefined) return false;
    this.#world.net.send({ to: "agent", stream, message });
    return true;
  }

  #redialAll(): void {
    for (const [node, stream] of this.#streams) {
      this.reports.detached(node);
      this.#world.streamEnds(stream);
    }
    this.#streams.clear();
  }

  #advance(answer: Answer): void {
    this.asks = undefined;
    const turn = this.#driver?.next(answer);
    if (turn !== undefined) this.#settle(turn.value);
  }

  /** Hands the driver all that is there already, then waits. */
  #settle(first: Ask): void {
    let asks = first;
    while (asks.ask === "mail" && (this.#mails.length > 0 || asks.ms <= 0)) {
      const turn = this.#driver?.next({ mail: this.#mails.shift() });
      if (turn === undefined) return;
      asks = turn.value;
    }
    this.asks = asks;
    if (asks.ask === "mail" || asks.ask === "sleep") this.#untilMs = this.#world.nowMs + asks.ms;
    else this.#world.asked(this, asks);
  }
}
