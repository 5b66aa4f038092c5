/**
 * The command line's way to the coordinator. A refusal arrives as a Failure in a trailer; a coordinator
 * that does not lead names the one that does, and the call is made there, once.
 */
import {
  type Client,
  ClientError,
  type ClientMiddleware,
  createChannel,
  createClientFactory,
  Metadata,
  Status,
} from "nice-grpc";
import { type Failure, type FailureCode, FailureError, failure } from "#proto/common/failure.ts";
import { ControlServiceService } from "#proto/gen/lockkeeper/v1/control_pb.ts";
import { Failure as WireFailure } from "#proto/gen/lockkeeper/v1/program_pb.ts";

const failureTrailer = "lockkeeper-failure-bin";

export type ControlClient = Client<typeof ControlServiceService>;

export interface Connection {
  readonly client: ControlClient;
  readonly address: string;
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
  return { client, address, close: () => channel.close() };
}

/**
 * Runs a call against the first coordinator that answers, following one redirect to the leader.
 * Fails with `coordinator.unreachable` when none of the addresses answers.
 */
export async function withLeader<T>(
  addresses: readonly string[],
  call: (client: ControlClient) => Promise<T>,
): Promise<T> {
  let last: FailureError | undefined;
  const queue = [...addresses];
  for (let tries = 0; queue.length > 0 && tries <= addresses.length + 1; tries += 1) {
    const connection = connect(queue.shift() as string);
    try {
      return await call(connection.client);
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

function movesOn({ code }: Failure): boolean {
  return code === "coordinator.unreachable" || code === "coordinator.not-leader";
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
  const cause = `${Status[error.code]}: ${error.details}`;
  if (error.code === Status.UNAVAILABLE || error.code === Status.DEADLINE_EXCEEDED) {
    return new FailureError(failure("coordinator.unreachable", { address, cause }));
  }
  return new FailureError(failure("internal.rpc", { address, cause }));
}
