/**
 * The command line's way to the coordinator. A refusal arrives as a Failure in a trailer; a coordinator
 * that does not lead names the one that does, and the call is made there, once.
 */
import { connectivityState } from "@grpc/grpc-js";
import {
  type Client,
  ClientError,
  type ClientMiddleware,
  createChannel,
  createClientFactory,
  Metadata,
  Status,
} from "nice-grpc";
import { render } from "#proto/catalogue/render.ts";
import { troubleOf } from "#proto/catalogue/trouble.ts";
import type { Clock } from "#proto/common/clock.ts";
import { renderDuration } from "#proto/common/duration.ts";
import { type Failure, type FailureCode, FailureError, failure } from "#proto/common/failure.ts";
import { ControlServiceService } from "#proto/gen/lockkeeper/v1/control_pb.ts";
import { Failure as WireFailure } from "#proto/gen/lockkeeper/v1/program_pb.ts";

const failureTrailer = "lockkeeper-failure-bin";

export type ControlClient = Client<typeof ControlServiceService>;

export interface Connection {
  readonly client: ControlClient;
  readonly address: string;
  /** It was begun, and the other end has not spoken. */
  isConnecting(): boolean;
  close(): void;
}

const maxMessageBytes = 64 * 1024 * 1024;

/** Opens no socket until the first call. `address` is host:port. */
export function connect(address: string): Connection {
  const channel = createChannel(address, undefined, {
    "grpc.max_receive_message_length": maxMessageBytes,
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.keepalive_time_ms": 10_000,
    "grpc.keepalive_timeout_ms": 5_000,
  });
  const client = createClientFactory()
    .use(failuresFromTrailer(address))
    .create(ControlServiceService, channel);
  const isConnecting = () => channel.getConnectivityState(false) === connectivityState.CONNECTING;
  return { client, address, isConnecting, close: () => channel.close() };
}

/**
 * Runs a call against the first coordinator that answers, following one redirect to the leader.
 * Fails with `coordinator.unreachable` when none of the addresses answers.
 */
export async function withLeader<T>(
  addresses: readonly string[],
  clock: Clock,
  call: (client: ControlClient) => Promise<T>,
): Promise<T> {
  let last: FailureError | undefined;
  const queue = [...addresses];
  for (let tries = 0; queue.length > 0 && tries <= addresses.length + 1; tries += 1) {
    const connection = connect(queue.shift() as string);
    try {
      return await spokenWith(connection, clock, call);
    } catch (error) {
      if (!(error instanceof FailureError) || !movesOn(error.failure)) throw error;
      last = error;
      const leader = error.failure.facts["leader"];
      if (error.failure.code === "coordinator.not-leader" && leader !== undefined && leader !== "")
        queue.unshift(leader);
    } finally {
      connection.close();
    }
  }
  throw (
    last ??
    new FailureError(
      failure("coordinator.unreachable", { address: addresses.join(", "), cause: "no address given" }),
    )
  );
}

const connectLimitMs = 5_000;

/** A port that takes the connection and says nothing is given up, so that the next address has its turn. */
async function spokenWith<T>(
  { client, address, isConnecting }: Connection,
  clock: Clock,
  call: (client: ControlClient) => Promise<T>,
): Promise<T> {
  let cancel = () => {};
  const silent = new Promise<never>((_, reject) => {
    const giveUp = () => {
      const { says: cause } = render(failure("coordinator.mute", { limit: renderDuration(connectLimitMs) }));
      if (isConnecting())
        reject(new FailureError(failure("coordinator.unreachable", { address, cause, ...notSent })));
    };
    cancel = clock.after(connectLimitMs, giveUp);
  });
  try {
    return await Promise.race([call(client), silent]);
  } finally {
    cancel();
  }
}

function movesOn({ code }: Failure): boolean {
  return code === "coordinator.unreachable" || code === "coordinator.not-leader";
}

/** So that whoever gave an order knows that it was not given. */
const notSent = { sent: render(failure("coordinator.not-sent")).says };

const neverThere = /No connection established|Name resolution failed|No addresses resolved/;

/** What the library puts around the system's own word is for programmers. */
function causeIn(details: string): string {
  const bare = details.replace(/^.*Last error: /, "").replace(/\.? ?Resolution note: *$/, "");
  return troubleOf(new Error(bare));
}

function failuresFromTrailer(address: string): ClientMiddleware {
  return async function* translate(call, options) {
    let trailer = Metadata();
    try {
      return yield* call.next(call.request, {
        ...options,
        onTrailer: (received) => {
          trailer = Metadata(received);
          options.onTrailer?.(received);
        },
      });
    } catch (error) {
      throw toFailureError(error, trailer, address);
    }
  };
}

function toFailureError(error: unknown, trailer: Metadata, address: string): unknown {
  if (!(error instanceof ClientError)) return error;
  const bytes = trailer.get(failureTrailer);
  if (bytes !== undefined) {
    const { code, facts } = WireFailure.decode(bytes as Uint8Array);
    return new FailureError({ code: code as FailureCode, facts });
  }
  if (error.code === Status.UNAVAILABLE || error.code === Status.DEADLINE_EXCEEDED) {
    const facts = {
      address,
      cause: causeIn(error.details),
      ...(neverThere.test(error.details) ? notSent : {}),
    };
    return new FailureError(failure("coordinator.unreachable", facts));
  }
  const cause = `${Status[error.code]}: ${error.details}`;
  return new FailureError(failure("internal.rpc", { address, cause }));
}
