/** The first two messages of an agent's stream: its Hello, and the Welcome that takes it in or says why not. */
import { ServerError, Status } from "nice-grpc";
import type { Clock } from "#proto/common/clock.ts";
import { contract } from "#proto/common/contract.ts";
import { type Failure, failure } from "#proto/common/failure.ts";
import type { ConnectRequest, ConnectResponse, Hello, Welcome } from "#proto/gen/lockkeeper/v1/agent_pb.ts";

/** Throws a gRPC status where none comes within the limit, or something else comes first. */
export async function readHello(
  incoming: AsyncIterator<ConnectRequest>,
  clock: Clock,
  limitMs: number,
): Promise<Hello> {
  let cancel = () => {};
  const late = new Promise<"late">((resolve) => {
    cancel = clock.after(limitMs, () => resolve("late"));
  });
  const first = await Promise.race([incoming.next(), late]);
  cancel();
  if (first === "late") throw new ServerError(Status.DEADLINE_EXCEEDED, "no Hello came");
  const message = first.done === true ? undefined : first.value.message;
  if (message?.$case !== "hello" || message.value.node === "")
    throw new ServerError(Status.INVALID_ARGUMENT, "the first message is a Hello with a node name");
  return message.value;
}

/** An agent that is too old or too new for this coordinator. */
export function whyNotServed({ node, contract: spoken, agentVersion }: Hello): Failure | undefined {
  if (spoken >= contract.oldestServed && spoken <= contract.current) return undefined;
  return failure("agent.contract", {
    node,
    agentVersion,
    spoken: String(spoken),
    oldest: String(contract.oldestServed),
    newest: String(contract.current),
  });
}

type Greeting = Pick<Welcome, "coordinator" | "leads" | "leader" | "have" | "beatMs">;

export function welcome(greeting: Greeting, refused: Failure | undefined): ConnectResponse {
  const why = refused === undefined ? undefined : { code: refused.code, facts: { ...refused.facts } };
  const value = { ...greeting, contract: contract.current, refused: why };
  return { message: { $case: "welcome", value } };
}
