/**
 * Simulated agents in a process of their own: one connection and one stream each on the coordinator's real
 * service, a real KWDB report as the answer to every question. Orders come as lines on stdin: a number of
 * agents to have; the answer on stdout is the number that are welcome.
 */
import { createInterface } from "node:readline";
import { credentials } from "@grpc/grpc-js";
import { contract } from "#proto/common/contract.ts";
import { AgentServiceClient, type ConnectRequest, Hello } from "#proto/gen/lockkeeper/v1/agent_pb.ts";
import { Depth, Health } from "#proto/gen/lockkeeper/v1/health_pb.ts";
import { factsOf, reportOf } from "#test/unit/coordinator/playbooks/kwdb/cluster.ts";

const [address = ""] = process.argv.slice(2);
const template = { ...reportOf("db1", factsOf("db1", "3.0.0")) };
const atOnce = 100;

function reportFor(node: string): Buffer {
  return Buffer.from(JSON.stringify({ ...template, node, takenAt: new Date().toISOString() }));
}

function attach(node: string): Promise<void> {
  const client = new AgentServiceClient(address, credentials.createInsecure(), {
    "grpc.use_local_subchannel_pool": 1,
  });
  const call = client.connect();
  const say = (message: NonNullable<ConnectRequest["message"]>) => void call.write({ message });
  const health = (request: string): ConnectRequest["message"] => ({
    $case: "health",
    value: Health.fromPartial({ request, depth: Depth.FULL, reportJson: reportFor(node) }),
  });
  const attached = new Promise<void>((resolve, reject) => {
    call.on("error", reject);
    call.on("data", ({ message }) => {
      if (message?.$case === "welcome") {
        say(health("") as NonNullable<ConnectRequest["message"]>);
        resolve();
      }
      if (message?.$case === "takeHealth")
        say(health(message.value.request) as NonNullable<ConnectRequest["message"]>);
    });
  });
  say({
    $case: "hello",
    value: Hello.fromPartial({
      node,
      agentVersion: "bench",
      contract: contract.current,
      bootId: "b",
      stateId: node,
      engine: "kwdb",
    }),
  });
  return attached;
}

let have = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const want = Number(line);
  while (have < want) {
    const next = Array.from({ length: Math.min(atOnce, want - have) }, (_, index) =>
      attach(`n${have + index}`),
    );
    await Promise.all(next);
    have += next.length;
  }
  process.stdout.write(`${have}\n`);
}
process.exit(0);
