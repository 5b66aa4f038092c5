/** Three stand-in KWDB hosts with their agents. */
import type { ChildProcess } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { createHosts, startCluster, stopCluster } from "#test/doubles/host/cluster.ts";
import type { DemoHost } from "#test/doubles/host/create-host.ts";
import { type BuiltPackage, buildPackage } from "#test/doubles/kwdb/build-package.ts";
import { DemoProcesses, end } from "./processes.ts";

const names = ["db1", "db2", "db3"] as const;
const fromVersion = "3.0.0";
export const toVersion = "3.1.0";

export interface FleetOptions {
  readonly folder: string;
  /** Where lockkeeper, lockkeeper-agent and demo/ stand. */
  readonly dist: string;
  /** How long a second of the database lasts. */
  readonly tickScale?: number;
  readonly gates?: string;
}

export class DemoFleet extends DemoProcesses {
  readonly options: FleetOptions;
  readonly #agents = new Map<string, ChildProcess>();
  hosts: readonly DemoHost[] = [];
  newPackage: BuiltPackage | undefined;

  constructor(options: FleetOptions) {
    super(options);
    this.options = options;
  }

  async start(): Promise<void> {
    await Promise.all([this.startHosts(), this.startCoordinator()]);
    await Promise.all(this.hosts.map((host) => this.startAgent(host)));
    await this.nameHosts();
    await this.untilAttached();
  }

  async startHosts(): Promise<void> {
    const { folder, dist, tickScale = 0.05 } = this.options;
    const assets = path.join(dist, "demo/assets");
    const [installed, next] = await Promise.all(
      [fromVersion, toVersion].map((version) =>
        buildPackage({ assets, version, out: path.join(folder, `package-${version}`) }),
      ),
    );
    if (installed === undefined || next === undefined) throw new Error("no packages");
    this.newPackage = next;
    this.hosts = await createHosts({ assets, installed, root: path.join(folder, "hosts"), names, tickScale });
    await startCluster(this.hosts);
  }

  agentPids(): readonly number[] {
    return [...this.#agents.values()].flatMap(({ pid }) => pid ?? []);
  }

  async stopAgent(name: string): Promise<void> {
    const agent = this.#agents.get(name);
    if (agent !== undefined) await end(agent);
  }

  async startAgent(host: DemoHost): Promise<ChildProcess> {
    const { folder, dist } = this.options;
    const { name } = host.options;
    const stateDir = path.join(folder, `agent-${name}`);
    await mkdir(stateDir, { recursive: true });
    const config = path.join(folder, `agent-${name}.yaml`);
    const settings = `node: ${name}
coordinators: [${this.address}]
stateDir: ${stateDir}
hostRoot: ${host.root}
path: [${path.join(host.root, "host-bin")}]
runner: group
engine: { kind: kwdb, settings: {} }
`;
    await writeFile(config, settings);
    const argv = [path.join(dist, "lockkeeper-agent"), "run", "--config", config];
    const child = this.spawn(`agent-${name}`, argv, host.env);
    this.#agents.set(name, child);
    return child;
  }

  async nameHosts(): Promise<void> {
    const { gates = "{ every: 250ms, dwell: 1s, limit: 2m }" } = this.options;
    const nodes = this.hosts.map(
      ({ options: { name, ip, ports } }) => `      ${name}: { address: "${ip}:${ports.sql}" }`,
    );
    await this.applyInventory(
      `clusters:\n  billing:\n    engine: kwdb\n    topology: multi-replica\n    gates: ${gates}\n    nodes:\n${nodes.join("\n")}\n`,
    );
  }

  override async stop(): Promise<void> {
    await super.stop();
    await stopCluster(this.hosts);
  }
}
