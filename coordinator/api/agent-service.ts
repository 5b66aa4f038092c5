/**
 * AgentService: one session per agent stream. Identity of a node is what its Hello says until certificates
 * come; two streams under one name are both refused and shown. A stream that ends without Goodbye is lost.
 */
import { type CallContext, ServerError, type ServiceImplementation, Status } from "nice-grpc";
import type { Clock } from "#proto/common/clock.ts";
import { type Failure, failure, type Outcome } from "#proto/common/failure.ts";
import type { NodeReport } from "#proto/common/report.ts";
import type {
  AgentServiceService,
  ConnectRequest,
  ConnectResponse,
  Hello,
} from "#proto/gen/lockkeeper/v1/agent_pb.ts";
import type { Depth, Health, TakeHealth } from "#proto/gen/lockkeeper/v1/health_pb.ts";
import type { AgentEvents, Fleet, Presence } from "../engine/ports.ts";
import { AskedReports } from "./asked-reports.ts";
import { Boots } from "./boots.ts";
import { readHello, welcome, whyNotServed } from "./greeting.ts";
import { better, type ClockOffset, offsetOf, readReport } from "./health-reading.ts";
import { Namesakes } from "./namesakes.ts";
import { Outbox } from "./outbox.ts";

type Outgoing = NonNullable<ConnectResponse["message"]>;

export interface AgentRoomOptions {
  readonly clock: Clock;
  readonly coordinator: string;
  readonly beatMs: number;
  /** An agent that shares its name with another is refused until the other has been silent for this. */
  readonly namesakeQuietMs: number;
  /** First message of a stream must come within this. */
  readonly helloLimitMs: number;
  /** Is this name in the inventory? */
  knows(node: string): boolean;
  /** The leader's address when this coordinator does not lead. */
  leader(): { readonly leads: boolean; readonly address: string };
  readonly events: AgentEvents;
  fetchArtefact(
    digest: string,
    offset: number,
  ): AsyncIterable<{ readonly chunk: Uint8Array; readonly totalBytes: number }>;
}

interface Session {
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

  service(): ServiceImplementation<typeof AgentServiceService> {
    const { fetchArtefact } = this.#options;
    return {
      connect: (requests, context) => this.#connect(requests, context),
      async *fetchArtefact({ digest, offset }) {
        if (!/^[0-9a-f]{64}$/.test(digest))
          throw new ServerError(Status.INVALID_ARGUMENT, "digest is 64 hex digits");
        for await (const part of fetchArtefact(digest, offset))
          yield { chunk: Buffer.from(part.chunk), totalBytes: part.totalBytes };
      },
    };
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
    if (session !== undefined) this.#drop(session, "lost");
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

  async *#connect(
    requests: AsyncIterable<ConnectRequest>,
    context: CallContext,
  ): AsyncGenerator<ConnectResponse> {
    const incoming = requests[Symbol.asyncIterator]();
    const { clock, helloLimitMs } = this.#options;
    const hello = await readHello(incoming, clock, helloLimitMs);
    const refused = this.#whyRefused(hello);
    const { leads, address } = this.#options.leader();
    if (refused !== undefined || !leads) {
      yield this.#welcome(hello, leads, address, refused);
      return;
    }
    const session = this.#open(hello, hostOf(context.peer));
    void this.#read(session, incoming, context.signal);
    try {
      yield this.#welcome(hello, true, address);
      this.#options.events.attached(session.presence);
      for await (const message of session.out) yield { message };
    } finally {
      // not after the last word of the agent: it ends its side when it sees ours end
      this.#drop(session, "lost");
    }
  }

  #whyRefused(hello: Hello): Failure | undefined {
    const unserved = whyNotServed(hello);
    if (unserved !== undefined) return unserved;
    const { node } = hello;
    const nowMs = this.#options.clock.monotonicMs();
    const other = this.#sessions.get(node);
    const isOneHost = this.#boots.isOneHost(hello);
    if (other !== undefined && (!isOneHost || other.presence.hello.stateId !== hello.stateId)) {
      this.#namesakes.met(node, [selfOf(other.presence.hello), selfOf(hello)], nowMs);
      this.#drop(other, "lost");
    }
    if (this.#namesakes.refuses(node, selfOf(hello), nowMs)) return failure("agent.twice", { node });
    // the same agent dials again before its old stream was seen to end: the new one counts
    if (other !== undefined) this.#drop(other, "lost");
    return undefined;
  }

  #open(hello: Hello, from: string): Session {
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

  #welcome({ node }: Hello, leads: boolean, leader: string, refused?: Failure): ConnectResponse {
    const { coordinator, beatMs, events } = this.#options;
    const have = refused === undefined && leads ? [...events.positions(node)] : [];
    return welcome({ coordinator, leads, leader, have, beatMs }, refused);
  }

  async #read(session: Session, incoming: AsyncIterator<ConnectRequest>, signal: AbortSignal): Promise<void> {
    let how: "goodbye" | "lost" = "lost";
    try {
      for (
        let next = await incoming.next();
        next.done !== true && !signal.aborted && this.#isPresent(session);
        next = await incoming.next()
      ) {
        session.lastWordMs = this.#options.clock.monotonicMs();
        const { message } = next.value;
        if (message === undefined) continue;
        if (message.$case === "goodbye") {
          how = "goodbye";
          break;
        }
        if (message.$case === "health") this.#health(session, message.value);
        else if (message.$case !== "hello") this.#options.events.said(session.presence.node, message);
      }
    } catch {
      // a broken stream ends like any other: the peer is lost
    }
    this.#drop(session, how);
  }

  #isPresent(session: Session): boolean {
    return this.#sessions.get(session.presence.node) === session;
  }

  #drop(session: Session, how: "goodbye" | "lost"): void {
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

/** Of what gRPC calls the other end, host:port or [host]:port; an IPv4 address stays one on an IPv6 socket. */
function hostOf(peer: string): string {
  return peer
    .replace(/:\d+$/, "")
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/^::ffff:/, "");
}

/** A host is its state folder and its boot: a clone may have a copy of the first. */
function selfOf({ stateId, bootId }: Hello): string {
  return `${stateId} ${bootId}`;
}
