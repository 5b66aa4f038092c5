import { once } from "node:events";
import { credentials } from "@grpc/grpc-js";
import { createServer, type Server } from "nice-grpc";
import { afterEach, describe, expect, it } from "vitest";
import { AgentRoom } from "#coordinator/api/agent-room.ts";
import { agentService } from "#coordinator/api/agent-service.ts";
import type { AgentEvents } from "#coordinator/engine/ports.ts";
import { systemClock } from "#proto/common/clock.ts";
import { contract } from "#proto/common/contract.ts";
import {
  AgentServiceClient,
  AgentServiceService,
  type ConnectRequest,
  type ConnectResponse,
  type Hello,
} from "#proto/gen/lockkeeper/v1/agent_pb.ts";

type Said = NonNullable<ConnectRequest["message"]>;

const servers: Server[] = [];
const clients: AgentServiceClient[] = [];

afterEach(() => {
  for (const client of clients.splice(0)) client.close();
  for (const server of servers.splice(0)) server.forceShutdown();
});

async function serve() {
  const heard: string[] = [];
  const events: AgentEvents = {
    attached: ({ node }) => void heard.push(`attached ${node}`),
    detached: (node, how) => void heard.push(`detached ${node} ${how}`),
    said: (node, { $case }) => void heard.push(`${node} says ${$case}`),
    positions: () => [],
  };
  const clock = systemClock;
  const room = new AgentRoom({ clock, namesakeQuietMs: 500, knows: (node) => node !== "dbl", events });
  const service = agentService({
    clock,
    room,
    coordinator: "c1",
    beatMs: 1_000,
    helloLimitMs: 5_000,
    leader: () => ({ leads: true, address: "" }),
    events,
    fetchArtefact: async function* () {},
  });
  const server = createServer();
  server.add(AgentServiceService, service);
  servers.push(server);
  return { room, heard, address: `127.0.0.1:${await server.listen("127.0.0.1:0")}` };
}

const kept: Said = { $case: "auditHeadKept", value: { head: "h" } };

const hello = (node: string): Hello => ({
  node,
  agentVersion: "1",
  contract: contract.current,
  bootId: "b",
  stateId: `state-${node}`,
  highest: [],
  engine: "kwdb",
  auditHead: "",
});

/** An agent that never leaves by itself. */
async function dial(
  address: string,
  node: string,
  {
    stateId = `state-${node}`,
    bootId = "b",
    spoken = contract.current,
  }: { stateId?: string; bootId?: string; spoken?: number } = {},
) {
  const client = new AgentServiceClient(address, credentials.createInsecure());
  clients.push(client);
  const call = client.connect();
  call.on("error", () => undefined);
  const say = (message: Said) => call.write({ message });
  say({ $case: "hello", value: { ...hello(node), contract: spoken, bootId, stateId } });
  const [first] = (await once(call, "data")) as [ConnectResponse];
  expect(first.message?.$case).toBe("welcome");
  call.on("data", () => undefined);
  const why = first.message?.$case === "welcome" ? first.message.value.refused : undefined;
  return { call, say, refused: why?.code, facts: why?.facts };
}

async function soon(holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds() && tries < 200; tries += 1) await systemClock.sleep(10);
  expect(holds()).toBe(true);
}

describe("the agents' room", () => {
  it("knows who is in no inventory, and where each comes from", async () => {
    const { room, address } = await serve();
    await dial(address, "db1");
    await dial(address, "dbl");
    expect(room.strangers()).toEqual(["dbl"]);
    expect(room.presence("dbl")?.from).toBe("127.0.0.1");
  });

  it("ends the stream of an agent that is to dial again, though that agent goes on talking", async () => {
    const { room, heard, address } = await serve();
    const agent = await dial(address, "db1");
    agent.say(kept);
    await soon(() => heard.includes("db1 says auditHeadKept"));
    let ended = false;
    agent.call.once("end", () => {
      ended = true;
    });
    const talking = setInterval(() => ended || agent.say(kept), 5);
    room.redial("db1");
    const before = [...heard];
    await soon(() => ended).finally(() => clearInterval(talking));
    expect(before.at(-1)).toBe("detached db1 lost");
    // nothing that came after is heard: it would be stored before what was missed
    expect(heard).toEqual(before);
    expect(room.presence("db1")).toBeUndefined();
  });

  it.each([
    ["was ended", (room: AgentRoom) => room.redial("db1")],
    ["was replaced by a newer one", (room: AgentRoom) => void room.open(hello("db1"), "")],
  ])(
    "does not hear what was on its way on a stream that %s, nor takes its goodbye for the node's",
    async (_, end) => {
      const { room, heard } = await serve();
      const old = room.open(hello("db1"), "");
      room.hear(old, kept);
      end(room);
      const before = [...heard];
      expect(before[0]).toBe("db1 says auditHeadKept");
      const { lastWordMs } = old;
      await systemClock.sleep(5);
      room.hear(old, kept);
      room.drop(old, "goodbye");
      expect(heard).toEqual(before);
      expect(old.lastWordMs).toBe(lastWordMs);
    },
  );

  it("hears the same agent again at once, and only on its new stream", async () => {
    const { room, heard, address } = await serve();
    await dial(address, "db1");
    room.redial("db1");
    const again = await dial(address, "db1");
    again.say(kept);
    await soon(() => heard.includes("db1 says auditHeadKept"));
    expect(room.presence("db1")?.stream).toBe(2);
    again.say({ $case: "goodbye", value: { reason: "done" } });
    await soon(() => heard.includes("detached db1 goodbye"));
  });

  it("refuses an agent older than the oldest it can serve, or newer than itself, and says which", async () => {
    const { room, address } = await serve();
    for (const spoken of [contract.oldestServed - 1, contract.current + 1]) {
      const { refused, facts } = await dial(address, "db1", { spoken });
      expect(refused).toBe("agent.contract");
      expect(facts).toMatchObject({ node: "db1", agentVersion: "1", spoken: String(spoken) });
      expect(room.presence("db1")).toBeUndefined();
    }
    expect((await dial(address, "db1")).refused).toBeUndefined();
  });

  it("takes in neither the host nor its clone while both call, shows the name, and then whoever stays", async () => {
    const { room, heard, address } = await serve();
    const host = await dial(address, "db1", { stateId: "host" });
    await soon(() => heard.includes("attached db1"));
    expect((await dial(address, "db1", { stateId: "clone" })).refused).toBe("agent.twice");
    await soon(() => heard.includes("detached db1 lost"));
    host.say(kept);
    for (const stateId of ["host", "clone", "host", "clone"]) {
      expect((await dial(address, "db1", { stateId })).refused).toBe("agent.twice");
      expect(room.presence("db1")).toBeUndefined();
      expect(room.doubled()).toEqual(["db1"]);
      await systemClock.sleep(50);
    }
    expect(heard).not.toContain("db1 says auditHeadKept");
    await expect.poll(async () => (await dial(address, "db1", { stateId: "host" })).refused).toBeUndefined();
    expect(room.presence("db1")?.hello.stateId).toBe("host");
    expect(room.doubled()).toEqual([]);
  });
});

describe("a cloned host with the same node name", () => {
  it("is found out when it has a copy of the state folder too: a boot that was over comes back", async () => {
    const { room, address } = await serve();
    const calls = async (bootId: string) =>
      (await dial(address, "db1", { stateId: "copied", bootId })).refused;
    expect(await calls("original")).toBeUndefined();
    // until here it may be a host that has booted; then it cannot
    expect(await calls("clone")).toBeUndefined();
    for (const bootId of ["original", "clone", "original", "clone"]) {
      expect(await calls(bootId)).toBe("agent.twice");
      expect(room.presence("db1")).toBeUndefined();
      expect(room.doubled()).toEqual(["db1"]);
    }
    await expect.poll(() => calls("original")).toBeUndefined();
  });

  it("is not suspected in a host that boots, however often", async () => {
    const { room, address } = await serve();
    for (const bootId of ["one", "one", "two", "three", "three"])
      expect((await dial(address, "db1", { stateId: "state", bootId })).refused).toBeUndefined();
    expect(room.doubled()).toEqual([]);
  });
});
