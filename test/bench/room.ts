/** The coordinator's agents' room with its snapshots, on a real server, and a bare peer that only counts answers. */
import { createServer, type Server } from "nice-grpc";
import { AgentRoom } from "#coordinator/api/agent-room.ts";
import { agentService } from "#coordinator/api/agent-service.ts";
import type { ClusterEntry } from "#coordinator/domain/inventory.ts";
import type { AgentEvents } from "#coordinator/engine/ports.ts";
import { Snapshots } from "#coordinator/engine/snapshots.ts";
import { playbooks } from "#coordinator/playbooks/index.ts";
import { systemClock as clock } from "#proto/common/clock.ts";
import { contract } from "#proto/common/contract.ts";
import { AgentServiceService, type ConnectResponse } from "#proto/gen/lockkeeper/v1/agent_pb.ts";
import { Depth, TakeHealth } from "#proto/gen/lockkeeper/v1/health_pb.ts";
import { memoryDocuments } from "#test/doubles/memory/documents.ts";
import { memoryRegister } from "#test/doubles/memory/register.ts";

const clusterNodes = 5;

export interface Asked {
  readonly address: string;
  /** Asks all of the first `count` agents once; resolves when all have answered. */
  ask(count: number): Promise<void>;
  stop(): void;
}

async function listening(server: Server): Promise<string> {
  return `127.0.0.1:${await server.listen("127.0.0.1:0")}`;
}

export async function startRoom(): Promise<Asked> {
  const events: AgentEvents = { attached: () => {}, detached: () => {}, said: () => {}, positions: () => [] };
  const room = new AgentRoom({ clock, namesakeQuietMs: 60_000, knows: () => true, events });
  const service = agentService({
    clock,
    room,
    coordinator: "bench",
    beatMs: 5_000,
    helloLimitMs: 60_000,
    leader: () => ({ leads: true, address: "" }),
    events,
    async *fetchArtefact() {},
  });
  const snapshots = new Snapshots({
    documents: memoryDocuments(clock.now),
    fleet: room,
    clock,
    newId: () => "s",
    locks: memoryRegister(),
    claims: memoryRegister(),
    retention: { keepCount: 1, keepMs: 1 },
    playbook: (engine) => playbooks[engine],
    wordsInForce: () => [],
    openRollouts: async () => [],
  });
  const server = createServer();
  server.add(AgentServiceService, service);
  return {
    address: await listening(server),
    stop: () => server.forceShutdown(),
    ask: async (count) => {
      const taken = await snapshots.take(clustersOf(count), { by: "bench", reason: "bench" });
      const nodes = taken.ok ? taken.value.clusters.flatMap((cluster) => cluster.nodes) : [];
      const known = nodes.filter(({ version }) => version === "3.0.0").length;
      if (known !== count) throw new Error(`the snapshot knows ${known} of ${count} nodes`);
    },
  };
}

function clustersOf(count: number): readonly ClusterEntry[] {
  return Array.from({ length: Math.ceil(count / clusterNodes) }, (_, cluster) => ({
    name: `c${cluster}`,
    engine: "kwdb",
    topology: "multi-replica",
    deployment: "script",
    nodes: Array.from({ length: clusterNodes }, (_, index) => ({
      name: `n${cluster * clusterNodes + index}`,
      address: `10.0.0.${index + 1}`,
    })),
    gates: { everyMs: 1, dwellMs: 1, limitMs: 1 },
    settings: {},
    windows: [],
  }));
}

/** The same streams and the same answers, with nothing done to them. */
export async function startPeer(): Promise<Asked> {
  const asks: ((message: ConnectResponse) => void)[] = [];
  let answered = () => {};
  const server = createServer();
  server.add(AgentServiceService, {
    async *connect(requests) {
      const queue: ConnectResponse[] = [];
      let wake = () => {};
      asks.push((message) => {
        queue.push(message);
        wake();
      });
      void (async () => {
        for await (const { message } of requests) {
          if (message?.$case === "health" && message.value.request !== "") answered();
        }
      })().catch(() => undefined);
      yield welcome;
      for (;;) {
        while (queue.length > 0) yield queue.shift() as ConnectResponse;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    async *fetchArtefact() {},
  });
  const ask: ConnectResponse = {
    message: { $case: "takeHealth", value: TakeHealth.fromPartial({ request: "1", depth: Depth.FULL }) },
  };
  return {
    address: await listening(server),
    stop: () => server.forceShutdown(),
    ask: (count) =>
      new Promise((resolve) => {
        let left = count;
        answered = () => {
          left -= 1;
          if (left === 0) resolve();
        };
        for (const put of asks.slice(0, count)) put(ask);
      }),
  };
}

const welcome: ConnectResponse = {
  message: {
    $case: "welcome",
    value: {
      coordinator: "peer",
      leads: true,
      leader: "",
      contract: contract.current,
      have: [],
      beatMs: 5_000,
      refused: undefined,
    },
  },
};
