/** The agents' room: one session per agent stream, and what is asked of the agent at its other end. */
import type { Clock } from "#proto/common/clock.ts";
import { type Failure, failure, type Outcome } from "#proto/common/failure.ts";
import type { NodeReport } from "#proto/common/report.ts";
import type { ConnectRequest, ConnectResponse, Hello } from "#proto/gen/lockkeeper/v1/agent_pb.ts";
import type { Depth, Health, TakeHealth } from "#proto/gen/lockkeeper/v1/health_pb.ts";
import type { AgentEvents, Fleet, Presence } from "../engine/ports.ts";
import { AskedReports } from "./asked-reports.ts";
import { Boots } from "./boots.ts";
import { whyNotServed } from "./greeting.ts";
import { better, type ClockOffset, offsetOf, readReport } from "./health-reading.ts";
import { Namesakes } from "./namesakes.ts";
import { Outbox } from "./outbox.ts";

type Outgoing = NonNullable<ConnectResponse["message"]>;
type Incoming = NonNullable<ConnectRequest["message"]>;

export interface AgentRoomOptions {
  readonly clock: Clock;
  /** An agent that shares its name with another is refused until the other has been silent for this. */
  readonly namesakeQuietMs: number;
  /** Is this name in the inventory? */
  knows(node: string): boolean;
  readonly events: AgentEvents;
}

export interface Session {
  readonly presence: Presence;
  readonly out: Outbox<Outgoing>;
  report: { readonly report: NodeReport; readonly atMs: number } | undefined;
  lastWordMs: number;
  clockOffset: ClockOffset | undefined;
}

export class AgentRoom implements Fleet {
  readonly #options: AgentRoomOptions;
  readonly #sessions = new Map<string, Session>();
  readonly #asked: AskedReports;
  readonly #namesakes: Namesakes;
  readonly #boots = new Boots();
  #streams = 0;

  constructor(options: AgentRoomOptions) {
    this.#options = options;
    this.#namesakes = new Namesakes(options.namesakeQuietMs);
    this.#asked = new AskedReports(options.clock);
  }

  presence(node: string): Presence | undefined {
    const session = this.#sessions.get(node);
    return session === undefined ? undefined : { ...session.presence, lastWordMs: session.lastWordMs };
  }

  attachedNodes(): readonly string[] {
    return [...this.#sessions.keys()].sort();
  }

  /** Attached agents whose name stands in no cluster: they report, and are given nothing to do. */
  strangers(): readonly string[] {
    return this.attachedNodes().filter((node) => !this.#options.knows(node));
  }

  /** Nodes of which two agents call under one name. */
  doubled(): readonly string[] {
    return this.#namesakes.names();
  }

  clockOffset(node: string): ClockOffset | undefined {
    return this.#sessions.get(node)?.clockOffset;
  }

  send(node: string, message: Outgoing): boolean {
    return this.#sessions.get(node)?.out.put(message) ?? false;
  }

  /**
   * Ends the node's stream; its agent dials again and tells everything that is not stored. What still comes on the
   * old stream is not heard: it would be stored before what was missed.
   */
  redial(node: string): void {
    const session = this.#sessions.get(node);
    if (session !== undefined) this.drop(session, "lost");
  }

  lastReport(node: string): { readonly report: NodeReport; readonly ageMs: number } | undefined {
    const last = this.#sessions.get(node)?.report;
    return last === undefined
      ? undefined
      : { report: last.report, ageMs: this.#options.clock.monotonicMs() - last.atMs };
  }

  takeReport(node: string, depth: Depth, limitMs: number): Promise<Outcome<NodeReport>> {
    const send = (value: TakeHealth) => this.send(node, { $case: "takeHealth", value });
    return this.#asked.ask({ node, depth, limitMs, send });
  }

  /** Refused: `agent.contract`, `agent.twice`; the stream of another agent of that name is ended then too. */
  whyRefused(hello: Hello): Failure | undefined {
    const unserved = whyNotServed(hello);
    if (unserved !== undefined) return unserved;
    const { node } = hello;
    const nowMs = this.#options.clock.monotonicMs();
    const other = this.#sessions.get(node);
    const isOneHost = this.#boots.isOneHost(hello);
    if (other !== undefined && (!isOneHost || other.presence.hello.stateId !== hello.stateId)) {
      this.#namesakes.met(node, [selfOf(other.presence.hello), selfOf(hello)], nowMs);
      this.drop(other, "lost");
    }
    if (this.#namesakes.refuses(node, selfOf(hello), nowMs)) return failure("agent.twice", { node });
    // the same agent dials again before its old stream was seen to end: the new one counts
    if (other !== undefined) this.drop(other, "lost");
    return undefined;
  }

  /** Its stream is taken in: from now on it is the node's. */
  open(hello: Hello, from: string): Session {
    this.#streams += 1;
    const nowMs = this.#options.clock.monotonicMs();
    const presence = { node: hello.node, hello, from, stream: this.#streams, lastWordMs: nowMs };
    const session: Session = {
      presence,
      out: new Outbox(),
      report: undefined,
      lastWordMs: nowMs,
      clockOffset: undefined,
    };
    this.#sessions.set(hello.node, session);
    return session;
  }

  /** A message of its stream. Of one that is present no more it is left alone: it came after what nobody has heard. */
  hear(session: Session, message: Incoming | undefined): void {
    if (!this.#isPresent(session)) return;
    session.lastWordMs = this.#options.clock.monotonicMs();
    if (message?.$case === "health") this.#health(session, message.value);
    else if (message !== undefined && message.$case !== "hello" && message.$case !== "goodbye")
      this.#options.events.said(session.presence.node, message);
  }

  /** No other stream has taken its place, and nobody has ended it. */
  #isPresent(session: Session): boolean {
    return this.#sessions.get(session.presence.node) === session;
  }

  drop(session: Session, how: "goodbye" | "lost"): void {
    session.out.close();
    const { node } = session.presence;
    if (!this.#isPresent(session)) return;
    this.#sessions.delete(node);
    this.#asked.lost(node);
    this.#options.events.detached(node, how);
  }

  #health(session: Session, health: Health): void {
    const { node } = session.presence;
    const { clock } = this.#options;
    const asked = this.#asked.askedFor(health.request, node);
    const report = readReport(health, node);
    if (report.ok) {
      session.report = { report: report.value, atMs: clock.monotonicMs() };
      if (asked !== undefined)
        session.clockOffset = better(session.clockOffset, offsetOf(report.value, asked, clock));
    }
    this.#asked.answered(health.request, node, report);
  }
}

/** A host is its state folder and its boot: a clone may have a copy of the first. */
function selfOf({ stateId, bootId }: Hello): string {
  return `${stateId} ${bootId}`;
}
