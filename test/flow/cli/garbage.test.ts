/** Garbage on every port: coordinator, its NATS, and an agent that dials the wrong one; all of them live on. */
import { mkdtemp, readdir, readFile, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DemoFleet } from "#test/demo/fleet.ts";
import { bundled } from "../processes/harness/fleet.ts";
import { call, lyingMessage, noisyMessage, noisyServer, payloads, send } from "./garbage.ts";

const slowMs = 240_000;
let dist = "";
let folder = "";
let fleet: DemoFleet;

beforeAll(async () => {
  dist = await bundled();
  folder = await mkdtemp(join(tmpdir(), "lockkeeper-garbage-"));
  fleet = new DemoFleet({ folder, dist });
  await fleet.start();
}, slowMs);

afterAll(async () => {
  await fleet?.stop();
  for (const each of [folder, dist]) await rm(each, { recursive: true, force: true });
}, slowMs);

async function listeningPorts(pid: number): Promise<readonly number[]> {
  const links = await readdir(`/proc/${pid}/fd`);
  const names = await Promise.all(links.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => "")));
  const sockets = new Set(names.flatMap((name) => /^socket:\[(\d+)\]$/.exec(name)?.[1] ?? []));
  const tables = await Promise.all(
    ["tcp", "tcp6"].map((table) => readFile(`/proc/${pid}/net/${table}`, "utf8")),
  );
  const rows = tables.flatMap((table) => table.split("\n").slice(1)).map((row) => row.trim().split(/\s+/));
  return rows
    .filter((row) => row[3] === "0A" && sockets.has(row[9] ?? ""))
    .map((row) => Number.parseInt(row[1]?.split(":")[1] ?? "0", 16));
}

async function natsPort(): Promise<number> {
  const text = await readFile(join(folder, "coordinator/nats/running.json"), "utf8");
  return (JSON.parse(text) as { readonly port: number }).port;
}

/** Coordinator, store and all agents answer: a full report of each node is in a new snapshot. */
async function expectWell(): Promise<void> {
  const taken = await fleet.cli("snapshot", "take");
  expect(taken).toMatchObject({ code: 0 });
  expect(taken.stdout).toMatch(/db1, db2, db3 +3\.0\.0 +ready/);
}

describe("garbage", () => {
  it(
    "on the coordinator's port harms nobody",
    async () => {
      const port = Number(fleet.address.split(":")[1]);
      await Promise.all(Object.values(payloads).map((payload) => send(port, payload)));
      for (const method of [
        "ControlService/Apply",
        "ControlService/Watch",
        "AgentService/Connect",
        "AgentService/FetchArtefact",
        "No/Such",
      ]) {
        for (const message of [noisyMessage, lyingMessage])
          expect(await call(fleet.address, `/lockkeeper.v1.${method}`, message)).not.toBe("0");
      }
      await expectWell();
    },
    slowMs,
  );

  it(
    "on the port of the coordinator's own NATS harms nobody, nor does somebody without its password",
    async () => {
      const port = await natsPort();
      expect(port).toBeGreaterThan(0);
      await Promise.all(Object.values(payloads).map((payload) => send(port, payload)));
      expect((await fleet.cli("doctor")).code).toBe(0);
      await expectWell();
    },
    slowMs,
  );

  it(
    "has no port to come by at an agent; one that dials into it goes on to the next coordinator",
    async () => {
      for (const pid of fleet.agentPids()) expect(await listeningPorts(pid)).toEqual([]);
      const { address, server } = await noisyServer();
      const real = fleet.address;
      await fleet.stopAgent("db3");
      fleet.address = `${address}, ${real}`;
      if (fleet.hosts[2] !== undefined) await fleet.startAgent(fleet.hosts[2]);
      fleet.address = real;
      await fleet.untilAttached();
      server.close();
      await expectWell();
    },
    slowMs,
  );
});
