/**
 * The one stream to the coordinator that leads: dialled in turn, for ever, with jitter. After Welcome the journal's
 * events are sent from where the coordinator has them, in order; the journal is the only buffer. A stream that
 * ends without Goodbye is a lost peer for the other side, so Goodbye is said on an orderly stop and only then.
 */
import { type ClientDuplexStream, credentials } from "@grpc/grpc-js";
import type { Clock, Random } from "#proto/common/clock.ts";
import type { Log } from "#proto/common/log.ts";
import {
  AgentServiceClient,
  type ConnectRequest,
  type ConnectResponse,
  type Hello,
  type Welcome,
} from "#proto/gen/lockkeeper/v1/agent_pb.ts";
import type { AgentEvent } from "./program/memory.ts";
import { eventMessage } from "./program/wire.ts";

type Sent = NonNullable<ConnectRequest["message"]>;
type Received = NonNullable<ConnectResponse["message"]>;
type Call = ClientDuplexStream<ConnectRequest, ConnectResponse>;

export interface SessionOptions {
  /** host:port, tried in turn. */
  readonly coordinators: readonly string[];
  readonly mayDial: (address: string) => boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly hello: () => Hello;
  readonly receive: (message: Received) => void;
  readonly nextEvent: (sequence: number) => AgentEvent | undefined;
  readonly onAppend: (listener: () => void) => () => void;
  /** Called when a stream becomes the live one, with what its Welcome says. */
  readonly welcomed: (welcome: Welcome) => void;
}

const welcomeLimitMs = 5_000;
const shortestPauseMs = 200;
const longestPauseMs = 5_000;
/** Unsent messages above which beats are left out: the next one is as good. */
const crowded = 64;
/** A leader that names another leader, and so on, is followed this often before a pause. */
const maxRedirects = 3;

const channelOptions = {
  "grpc.keepalive_time_ms": 10_000,
  "grpc.keepalive_timeout_ms": 5_000,
  "grpc.keepalive_permit_without_calls": 1,
  "grpc.use_local_subchannel_pool": 1,
} as const;

interface Live {
  readonly address: string;
  readonly call: Call;
  readonly have: ReadonlyMap<string, number>;
  sent: number;
  full: boolean;
}

interface Outcome {
  readonly lived: boolean;
  readonly leader?: string;
}

export class Session {
  readonly #options: SessionOptions;
  #live: Live | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    options.onAppend(() => this.#pump());
  }

  /** The coordinator of the live stream. */
  get address(): string | undefined {
    return this.#live?.address;
  }

  readonly send = (message: Sent): boolean => {
    const live = this.#live;
    if (live === undefined || (message.$case === "health" && live.call.writableLength > crowded))
      return false;
    live.call.write({ message });
    return true;
  };

  /** Dials until the signal aborts; then says Goodbye. */
  async run(signal: AbortSignal): Promise<void> {
    const { coordinators, clock, log } = this.#options;
    let failures = 0;
    let redirects = 0;
    let next: string | undefined;
    for (let turn = 0; !signal.aborted; ) {
      const address = next ?? (coordinators[turn++ % coordinators.length] as string);
      const { lived, leader } = await this.#connect(address, signal);
      if (signal.aborted) return;
      failures = lived ? 0 : failures + 1;
      next = this.#follow(address, leader, redirects);
      redirects = next === undefined ? 0 : redirects + 1;
      if (next !== undefined) continue;
      const pauseMs = this.#pauseMs(Math.floor(failures / coordinators.length));
      log.info({ address, lived, pauseMs }, "stream ended");
      await clock.sleep(pauseMs, signal).catch(() => undefined);
    }
  }

  #follow(address: string, leader: string | undefined, redirects: number): string | undefined {
    if (leader === undefined || leader === address || redirects >= maxRedirects) return undefined;
    return this.#options.mayDial(leader) ? leader : undefined;
  }

  #pauseMs(round: number): number {
    const wholeMs = Math.min(longestPauseMs, shortestPauseMs * 2 ** Math.min(round, 10));
    return Math.round(wholeMs * (0.5 + this.#options.random() / 2));
  }

  #connect(address: string, signal: AbortSignal): Promise<Outcome> {
    const client = new AgentServiceClient(address, credentials.createInsecure(), channelOptions);
    const call = client.connect();
    return new Promise<Outcome>((resolve) => {
      let outcome: Outcome = { lived: false };
      const cancel = this.#options.clock.after(welcomeLimitMs, () => call.cancel());
      const leave = () => this.#leave(call);
      signal.addEventListener("abort", leave, { once: true });
      let settled = false;
      const over = (why: string) => {
        if (settled) return;
        settled = true;
        cancel();
        signal.removeEventListener("abort", leave);
        if (this.#live?.call === call) this.#live = undefined;
        client.close();
        this.#options.log.debug({ address, why }, "stream over");
        resolve(outcome);
      };
      // Not once: the cancel that follows an end is an error too.
      call.on("error", (error) => over(error.message));
      call.once("end", () => {
        over("ended by the coordinator");
        call.cancel();
      });
      call.on("data", ({ message }: ConnectResponse) => {
        if (message === undefined) return;
        if (message.$case === "welcome") {
          cancel();
          outcome = this.#welcome(address, call, message.value);
          if (!outcome.lived) call.cancel();
        } else if (this.#live?.call === call) this.#options.receive(message);
      });
      call.write({ message: { $case: "hello", value: this.#options.hello() } });
    });
  }

  #welcome(address: string, call: Call, welcome: Welcome): Outcome {
    const { log } = this.#options;
    if (welcome.refused !== undefined)
      log.warn({ address, code: welcome.refused.code, facts: welcome.refused.facts }, "refused");
    if (!welcome.leads || welcome.refused !== undefined) {
      if (this.#live?.call === call) this.#live = undefined;
      return { lived: false, ...(welcome.leader === "" ? {} : { leader: welcome.leader }) };
    }
    const have = new Map(welcome.have.map(({ rollout, sequence }) => [rollout, sequence]));
    this.#live = { address, call, have, sent: 0, full: false };
    log.info({ address, coordinator: welcome.coordinator }, "attached");
    this.#options.welcomed(welcome);
    call.on("drain", () => {
      if (this.#live?.call === call) this.#live.full = false;
      this.#pump();
    });
    this.#pump();
    return { lived: true };
  }

  /** Sends events until the stream has enough; goes on when it drains or the journal grows. */
  #pump(): void {
    const live = this.#live;
    if (live === undefined) return;
    while (!live.full) {
      const event = this.#options.nextEvent(live.sent);
      if (event === undefined) return;
      live.sent = event.n;
      if (event.n > (live.have.get(event.rollout) ?? 0))
        live.full = !live.call.write({ message: eventMessage(event) });
    }
  }

  #leave(call: Call): void {
    if (this.#live?.call !== call) {
      call.cancel();
      return;
    }
    call.write({ message: { $case: "goodbye", value: { reason: "the agent is stopping" } } });
    call.end();
    this.#options.clock.after(1_000, () => call.cancel());
  }
}
