/** Streams and what is on its way in them. Nothing arrives by itself: the history says what, when and how often. */
import type { ConnectRequest, ConnectResponse } from "#proto/gen/lockkeeper/v1/agent_pb.ts";

export type Up = NonNullable<ConnectRequest["message"]> | { readonly $case: "gone" };
export type Down = NonNullable<ConnectResponse["message"]>;

/** One dialled stream: of one life of an agent to one life of a coordinator. */
export interface Stream {
  readonly id: number;
  readonly node: string;
  readonly coordinator: number;
  readonly coordinatorLife: number;
}

export type Flight =
  | { readonly to: "coordinator"; readonly stream: Stream; readonly message: Up }
  | { readonly to: "agent"; readonly stream: Stream; readonly message: Down };

/** Above this the oldest are lost: a history is not about full buffers. */
const maxInFlight = 60;

export class Network {
  readonly flights: Flight[] = [];
  #streams = 0;

  open(of: Omit<Stream, "id">): Stream {
    this.#streams += 1;
    return { id: this.#streams, ...of };
  }

  send(flight: Flight): void {
    this.flights.push(flight);
    if (this.flights.length > maxInFlight) this.flights.shift();
  }

  take(index: number): Flight | undefined {
    return this.flights.splice(index, 1)[0];
  }
}
