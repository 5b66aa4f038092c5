/** Several demo hosts as one cluster: made, initialised, ended by pid. */
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { BuiltPackage } from "../kwdb/build-package.ts";
import { createHost, type DemoHost, freePorts, type Topology } from "./create-host.ts";

export interface ClusterOptions {
  /** A folder made by `buildAssets`. */
  readonly assets: string;
  readonly installed: BuiltPackage;
  /** Receives one folder a host, by its name. */
  readonly root: string;
  readonly names: readonly string[];
  readonly topology?: Topology;
  readonly tickScale?: number;
  /** A folder of `makeAuthority`: the cluster is secure. */
  readonly authority?: string;
  /** Makes one host; unless told, one on which the vendor's installer has run. */
  readonly create?: typeof createHost;
}

/** Hosts on 127.0.0.1, 127.0.0.2 …, each with ports of its own; nothing is started. */
export async function createHosts(options: ClusterOptions): Promise<readonly DemoHost[]> {
  const { names, topology = "multi-replication", tickScale = 1, create = createHost } = options;
  const ports = await freePorts(names.length * 3);
  const places = names.map((name, at) => ({
    name,
    ip: `127.0.0.${at + 1}`,
    ports: { sql: ports[at * 3] ?? 0, http: ports[at * 3 + 1] ?? 0, brpc: ports[at * 3 + 2] ?? 0 },
  }));
  const [first] = places;
  if (first === undefined) return [];
  const hosts: DemoHost[] = [];
  for (const place of places) {
    const others = places.filter((other) => other !== place).map((other) => other.ip);
    const host = {
      ...place,
      topology,
      others,
      installed: options.installed,
      join: `${first.ip}:${first.ports.sql}`,
      tickScale,
      loopbackOnly: true,
      user: os.userInfo().username,
      ...(options.authority === undefined ? {} : { authority: options.authority }),
    };
    hosts.push(await create(path.join(options.root, place.name), options.assets, host));
  }
  return hosts;
}

async function until(what: string, deadlineMs: number, holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + deadlineMs; Date.now() < end; await sleep(20)) if (await holds()) return;
  throw new Error(`not within ${deadlineMs} ms: ${what}`);
}

/** Starts the hosts one after another, so that ids follow their order; initialises a new cluster on the first. */
export async function startCluster(hosts: readonly DemoHost[], deadlineMs = 60_000): Promise<void> {
  for (const [at, host] of hosts.entries()) {
    const { name, topology } = host.options;
    await host.start();
    if (at === 0 && topology !== "single") {
      await until(`${name} listens`, deadlineMs, async () => (await host.readyStatus()) !== 0);
      await host.kwbase("init");
    }
    await until(`${name} is ready`, deadlineMs, async () => (await host.readyStatus()) === 200);
  }
  const last = hosts.at(-1);
  await until("every node sees every node", deadlineMs, async () => {
    const seen = await last?.kwbase("node", "status", "--format=csv");
    return seen?.stdout.match(/,true,true$/gm)?.length === hosts.length;
  });
}

/** Ends every node of these hosts at once, by its process group; for the end of a test or demo. */
export async function stopCluster(hosts: readonly DemoHost[]): Promise<void> {
  for (const host of hosts) {
    await host.end();
    await until(`${host.options.name} is gone`, 10_000, async () => (await host.mainPid()) === 0);
  }
}
