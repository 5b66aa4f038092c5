/**
 * AgentService: the two ends of each agent's stream. Identity of a node is what its Hello says until certificates
 * come; two streams under one name are both refused and shown. A stream that ends without Goodbye is lost.
 */
import { type CallContext, ServerError, type ServiceImplementation, Status } from "nice-grpc";
import type { Clock } from "#proto/common/clock.ts";
import type { Failure } from "#proto/common/failure.ts";
import type {
  AgentServiceService,
  ConnectRequest,
  ConnectResponse,
  Hello,
} from "#proto/gen/lockkeeper/v1/agent_pb.ts";
import type { AgentEvents } from "../engine/ports.ts";
import type { AgentRoom, Session } from "./agent-room.ts";
import { readHello, welcome } from "./greeting.ts";

export interface AgentServiceMeans {
  readonly clock: Clock;
  readonly room: AgentRoom;
  readonly coordinator: string;
  readonly beatMs: number;
  /** First message of a stream must come within this. */
  readonly helloLimitMs: number;
  /** The leader's address when this coordinator does not lead. */
  leader(): { readonly leads: boolean; readonly address: string };
  readonly events: Pick<AgentEvents, "attached" | "positions">;
  fetchArtefact(
    digest: string,
    offset: number,
  ): AsyncIterable<{ readonly chunk: Uint8Array; readonly totalBytes: number }>;
}

export function agentService(means: AgentServiceMeans): ServiceImplementation<typeof AgentServiceService> {
  return {
    connect: (requests, context) => connect(means, requests, context),
    async *fetchArtefact({ digest, offset }) {
      if (!/^[0-9a-f]{64}$/.test(digest))
        throw new ServerError(Status.INVALID_ARGUMENT, "digest is 64 hex digits");
      for await (const part of means.fetchArtefact(digest, offset))
        yield { chunk: Buffer.from(part.chunk), totalBytes: part.totalBytes };
    },
  };
}

async function* connect(
  means: AgentServiceMeans,
  requests: AsyncIterable<ConnectRequest>,
  context: CallContext,
): AsyncGenerator<ConnectResponse> {
  const { clock, helloLimitMs, room, events } = means;
  const incoming = requests[Symbol.asyncIterator]();
  const hello = await readHello(incoming, clock, helloLimitMs);
  const refused = room.whyRefused(hello);
  const { leads, address } = means.leader();
  if (refused !== undefined || !leads) {
    yield welcomeTo(hello, means, { leads, leader: address, refused });
    return;
  }
  const session = room.open(hello, hostOf(context.peer));
  void listen(room, session, incoming, context.signal);
  try {
    yield welcomeTo(hello, means, { leads: true, leader: address });
    events.attached(session.presence);
    for await (const message of session.out) yield { message };
  } finally {
    // not after the last word of the agent: it ends its side when it sees ours end
    room.drop(session, "lost");
  }
}

function welcomeTo(
  { node }: Hello,
  { coordinator, beatMs, events }: AgentServiceMeans,
  {
    leads,
    leader,
    refused,
  }: { readonly leads: boolean; readonly leader: string; readonly refused?: Failure | undefined },
): ConnectResponse {
  const have = refused === undefined && leads ? [...events.positions(node)] : [];
  return welcome({ coordinator, leads, leader, have, beatMs }, refused);
}

async function listen(
  room: AgentRoom,
  session: Session,
  incoming: AsyncIterator<ConnectRequest>,
  signal: AbortSignal,
): Promise<void> {
  let how: "goodbye" | "lost" = "lost";
  try {
    for (
      let next = await incoming.next();
      next.done !== true && !signal.aborted;
      next = await incoming.next()
    ) {
      const { message } = next.value;
      if (message?.$case === "goodbye") {
        how = "goodbye";
        break;
      }
      room.hear(session, message);
    }
  } catch {
    // a broken stream ends like any other: the peer is lost
  }
  room.drop(session, how);
}

/** Of what gRPC calls the other end, host:port or [host]:port; an IPv4 address stays one on an IPv6 socket. */
function hostOf(peer: string): string {
  return peer
    .replace(/:\d+$/, "")
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/^::ffff:/, "");
}
