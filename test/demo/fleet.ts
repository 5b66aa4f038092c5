/** The demo's processes: hosts, agents, coordinator; started, watched and ended by pid. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createHosts, startCluster, stopCluster } from "#test/doubles/host/cluster.ts";
import { type DemoHost, freePorts } from "#test/doubles/host/create-host.ts";
import { type BuiltPackage, buildPackage } from "#test/doubles/kwdb/build-package.ts";

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

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const startLimitMs = 60_000;

export class DemoFleet {
  readonly options: FleetOptions;
  readonly #children: ChildProcess[] = [];
  readonly #commands = new Set<ChildProcess>();
  readonly #agents = new Map<string, ChildProcess>();
  hosts: readonly DemoHost[] = [];
  newPackage: BuiltPackage | undefined;
  address = "";

  constructor(options: FleetOptions) {
    this.options = options;
  }

  async start(): Promise<void> {
    await Promise.all([this.startHosts(), this.startCoordinator()]);
    await Promise.all(this.hosts.map((host) => this.startAgent(host)));
    await this.applyInventory();
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

  async startCoordinator(): Promise<ChildProcess> {
    const { folder } = this.options;
    const [port] = this.address === "" ? await freePorts(1) : [Number(this.address.split(":")[1])];
    this.address = `127.0.0.1:${port}`;
    const config = path.join(folder, "coordinator.yaml");
    const lines = [
      `listen: ${this.address}`,
      `stateDir: ${path.join(folder, "coordinator")}`,
      "name: demo",
      "lease: { length: 8s, beat: 1s }",
    ];
    await writeFile(config, `${lines.join("\n")}\n`);
    const child = this.#spawn(
      "coordinator",
      [path.join(this.options.dist, "lockkeeper"), "serve", "--config", config],
      process.env,
    );
    await this.#until("the coordinator leads", child, async () => (await this.cli("doctor")).code !== 11);
    return child;
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
    const child = this.#spawn(
      `agent-${name}`,
      [path.join(dist, "lockkeeper-agent"), "run", "--config", config],
      host.env,
    );
    this.#agents.set(name, child);
    return child;
  }

  async applyInventory(): Promise<void> {
    const { folder, gates = "{ every: 250ms, dwell: 1s, limit: 2m }" } = this.options;
    const nodes = this.hosts.map(
      ({ options: { name, ip, ports } }) => `      ${name}: { address: "${ip}:${ports.sql}" }`,
    );
    const yaml = `clusters:\n  billing:\n    engine: kwdb\n    topology: multi-replica\n    gates: ${gates}\n    nodes:\n${nodes.join("\n")}\n`;
    const file = path.join(folder, "fleet.yaml");
    await writeFile(file, yaml);
    const applied = await this.cli("cluster", "apply", file);
    if (applied.code !== 0) throw new Error(`cluster apply: ${applied.stderr}`);
  }

  async untilAttached(): Promise<void> {
    await this.#until("all agents are attached", undefined, async () => {
      const { stdout, code } = await this.cli("node", "list", "-o", "json");
      if (code !== 0) return false;
      const fleet = JSON.parse(stdout) as {
        readonly clusters: readonly { readonly nodes: readonly { readonly attached: boolean }[] }[];
      };
      return fleet.clusters.flatMap(({ nodes }) => nodes).every(({ attached }) => attached);
    });
  }

  /** Runs a command of the product and gives back what it said. */
  async cli(...args: readonly string[]): Promise<Ran> {
    const child = spawn(
      process.execPath,
      [path.join(this.options.dist, "lockkeeper"), ...args, "--coordinator", this.address],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    this.#commands.add(child);
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString("utf8");
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString("utf8");
    });
    const code = await new Promise<number>((resolve) => child.on("close", (ended) => resolve(ended ?? 1)));
    this.#commands.delete(child);
    return { code, stdout, stderr };
  }

  /** Runs a command of the product for the audience: its words go straight to the screen. */
  async show(...args: readonly string[]): Promise<number> {
    const child = spawn(
      process.execPath,
      [path.join(this.options.dist, "lockkeeper"), ...args, "--coordinator", this.address],
      { stdio: ["ignore", "inherit", "inherit"] },
    );
    return new Promise<number>((resolve) => child.on("close", (ended) => resolve(ended ?? 1)));
  }

  async stop(): Promise<void> {
    for (const command of this.#commands) command.kill("SIGKILL");
    for (const child of [...this.#children].reverse()) await end(child);
    await stopCluster(this.hosts);
  }

  #spawn(name: string, argv: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
    const log = openSync(path.join(this.options.folder, `${name}.log`), "a");
    const child = spawn(process.execPath, [...argv], { stdio: ["ignore", log, log], env });
    closeSync(log);
    this.#children.push(child);
    return child;
  }

  async #until(what: string, child: ChildProcess | undefined, holds: () => Promise<boolean>): Promise<void> {
    for (const endMs = Date.now() + startLimitMs; Date.now() < endMs; await sleep(100)) {
      if (child !== undefined && child.exitCode !== null)
        throw new Error(`${what}: it ended with ${child.exitCode}: ${await this.#lastWords()}`);
      if (await holds()) return;
    }
    throw new Error(`not within a minute: ${what}`);
  }

  async #lastWords(): Promise<string> {
    const text = await readFile(path.join(this.options.folder, "coordinator.log"), "utf8").catch(() => "");
    return text.split("\n").slice(-5).join("\n");
  }
}

const endLimitMs = 8_000;

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGTERM");
  const late = await Promise.race([closed.then(() => false), sleep(endLimitMs).then(() => true)]);
  if (late) child.kill("SIGKILL");
  if (late) await closed;
}
