/**
 * Three demo hosts with their agents, and one or more coordinators, each a process of its own, from bundles made of
 * the present sources. What the tests know of a rollout they hear from the product's own command line.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { RolloutEvent } from "#coordinator/domain/rollout/event.ts";
import { demoWords } from "#test/demo/script.ts";
import { createHosts, startCluster, stopCluster } from "#test/doubles/host/cluster.ts";
import { type DemoHost, freePorts } from "#test/doubles/host/create-host.ts";
import { type BuiltPackage, buildPackage } from "#test/doubles/kwdb/build-package.ts";
import { bundleInto } from "../../../../deploy/bundle.ts";
import { Process } from "./process.ts";

export const fromVersion = "3.0.0";
export const toVersion = "3.1.0";
export const lease = { lengthMs: 8_000, beatMs: 1_000 } as const;

const names = ["db1", "db2", "db3"] as const;
const startLimitMs = 60_000;

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Coordinator {
  readonly name: string;
  readonly address: string;
  readonly stateDir: string;
  readonly process: Process;
}

export interface Follow {
  readonly events: RolloutEvent[];
  /** Exit code and last words of `lockkeeper apply`. */
  readonly ended: Promise<Ran>;
}

export interface FleetOptions {
  readonly coordinators: number;
  /** Servers of NATS that the coordinators share; none: one coordinator with a server of its own. */
  readonly nats?: readonly string[];
}

export class ProcessFleet {
  readonly #folder: string;
  readonly #dist: string;
  readonly #agents = new Map<string, Process>();
  readonly #followers = new Set<ChildProcess>();
  #newPackage: BuiltPackage | undefined;
  hosts: readonly DemoHost[] = [];
  coordinators: readonly Coordinator[] = [];

  private constructor(folder: string, dist: string) {
    this.#folder = folder;
    this.#dist = dist;
  }

  static async start(dist: string, options: FleetOptions): Promise<ProcessFleet> {
    const fleet = new ProcessFleet(await mkdtemp(join(tmpdir(), "lockkeeper-processes-")), dist);
    try {
      await fleet.#begin(options);
    } catch (error) {
      await fleet.stop();
      throw error;
    }
    return fleet;
  }

  agent(name: string): Process {
    const found = this.#agents.get(name);
    if (found === undefined) throw new Error(`no agent ${name}`);
    return found;
  }

  /** Holds each agent's file as `agent-<node>.yaml`, its state as `agent-<node>`, packages as `package-<version>`. */
  get folder(): string {
    return this.#folder;
  }

  /** Runs a command of the product; asks every coordinator unless told otherwise. */
  async cli(args: readonly string[], addresses = this.#addresses()): Promise<Ran> {
    const child = this.#command([...args, "--coordinator", addresses.join(",")]);
    let stdout = "";
    let stderr = "";
    child.stdout?.on("data", (chunk: Buffer) => (stdout += chunk.toString("utf8")));
    child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString("utf8")));
    const code = await new Promise<number>((resolve) => child.on("close", (ended) => resolve(ended ?? 1)));
    return { code, stdout, stderr };
  }

  async json<T>(args: readonly string[], addresses = this.#addresses()): Promise<T> {
    const { code, stdout, stderr } = await this.cli([...args, "-o", "json"], addresses);
    if (stdout === "") throw new Error(`${args.join(" ")} ended with ${code}: ${stderr}`);
    return JSON.parse(stdout) as T;
  }

  async plan(): Promise<string> {
    const { tarball = "", sha256 = "" } = this.#newPackage ?? {};
    const file = join(this.#folder, "plan.json");
    await this.#must("artefact", "push", tarball);
    await this.#must("plan", "billing", "--to", toVersion, "--sha256", sha256, "-o", file);
    return file;
  }

  /** `lockkeeper apply`: each event is heard as it comes, whoever leads by then. */
  apply(plan: string, hear: (event: RolloutEvent) => void): Follow {
    const words = [...demoWords, "--reason", "nobody's data"];
    return this.follow(["apply", plan, "-y", ...words], hear);
  }

  /** A command that follows a rollout: apply, retry, watch. */
  follow(args: readonly string[], hear: (event: RolloutEvent) => void): Follow {
    const child = this.#command([...args, "-o", "ndjson", "--coordinator", this.#addresses().join(",")]);
    this.#followers.add(child);
    const events: RolloutEvent[] = [];
    let stdout = "";
    let stderr = "";
    child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString("utf8")));
    if (child.stdout !== null)
      createInterface({ input: child.stdout }).on("line", (line) => {
        stdout += `${line}\n`;
        const told = JSON.parse(line) as RolloutEvent;
        events.push(told);
        hear(told);
      });
    const ended = new Promise<Ran>((resolve) =>
      child.on("close", (code) => {
        this.#followers.delete(child);
        resolve({ code: code ?? 1, stdout, stderr });
      }),
    );
    return { events, ended };
  }

  async until(what: string, holds: () => Promise<boolean>, limitMs = startLimitMs): Promise<void> {
    for (const endMs = Date.now() + limitMs; Date.now() < endMs; await sleep(100)) if (await holds()) return;
    throw new Error(`not within ${limitMs} ms: ${what}`);
  }

  untilAttached(addresses = this.#addresses()): Promise<void> {
    return this.until("all agents are attached", async () => {
      const { code, stdout } = await this.cli(["node", "list", "-o", "json"], addresses);
      if (code !== 0) return false;
      const { clusters } = JSON.parse(stdout) as FleetShown;
      const nodes = clusters.flatMap((cluster) => cluster.nodes);
      return nodes.length === names.length && nodes.every(({ attached }) => attached);
    });
  }

  async versions(): Promise<readonly string[]> {
    const { clusters } = await this.json<FleetShown>(["node", "list"]);
    return clusters.flatMap(({ nodes }) => nodes.map(({ version, state }) => `${version} ${state}`));
  }

  async log(of: string): Promise<string> {
    return readFile(join(this.#folder, `${of}.log`), "utf8").catch(() => "");
  }

  async stop(): Promise<void> {
    for (const child of this.#followers) child.kill("SIGKILL");
    await Promise.all([...this.#agents.values()].map((agent) => agent.end()));
    await Promise.all(this.coordinators.map((coordinator) => coordinator.process.end()));
    await stopCluster(this.hosts);
    if (process.env["LOCKKEEPER_KEEP"] === undefined)
      await rm(this.#folder, { recursive: true, force: true });
  }

  async #begin(options: FleetOptions): Promise<void> {
    await Promise.all([this.#makeHosts(), this.#startCoordinators(options)]);
    for (const host of this.hosts) await this.#startAgent(host);
    await this.until("a coordinator leads", async () => (await this.cli(["lock", "list"])).code === 0);
    await this.#applyInventory();
    await this.untilAttached();
  }

  async #makeHosts(): Promise<void> {
    const assets = join(this.#dist, "demo/assets");
    const [installed, next] = await Promise.all(
      [fromVersion, toVersion].map((version) =>
        buildPackage({ assets, version, out: join(this.#folder, `package-${version}`) }),
      ),
    );
    if (installed === undefined || next === undefined) throw new Error("no packages");
    this.#newPackage = next;
    const root = join(this.#folder, "hosts");
    this.hosts = await createHosts({ assets, installed, root, names, tickScale: 0.05 });
    await startCluster(this.hosts);
  }

  async #startCoordinators({ coordinators, nats = [] }: FleetOptions): Promise<void> {
    const ports = await freePorts(coordinators);
    this.coordinators = await Promise.all(
      ports.map(async (port, index) => {
        const name = `coordinator-${index + 1}`;
        const address = `127.0.0.1:${port}`;
        const stateDir = join(this.#folder, name);
        const file = join(this.#folder, `${name}.yaml`);
        const settings = {
          listen: address,
          stateDir,
          name,
          lease: { length: `${lease.lengthMs}ms`, beat: `${lease.beatMs}ms` },
          nats: nats.length === 0 ? {} : { servers: nats, replicas: 1 },
        };
        await writeFile(file, JSON.stringify(settings));
        const argv = [join(this.#dist, "lockkeeper"), "serve", "--config", file];
        const own = new Process({ argv, logFile: join(this.#folder, `${name}.log`) });
        own.start();
        return { name, address, stateDir, process: own };
      }),
    );
  }

  async #startAgent(host: DemoHost): Promise<void> {
    const { name } = host.options;
    const stateDir = join(this.#folder, `agent-${name}`);
    const file = join(this.#folder, `agent-${name}.yaml`);
    await mkdir(stateDir, { recursive: true });
    const settings = {
      node: name,
      coordinators: this.#addresses(),
      stateDir,
      hostRoot: host.root,
      path: [join(host.root, "host-bin")],
      runner: "group",
      engine: { kind: "kwdb", settings: {} },
    };
    await writeFile(file, JSON.stringify(settings));
    const argv = [join(this.#dist, "lockkeeper-agent"), "run", "--config", file];
    const own = new Process({ argv, env: host.env, logFile: join(this.#folder, `agent-${name}.log`) });
    own.start();
    this.#agents.set(name, own);
  }

  async #applyInventory(): Promise<void> {
    const nodes = this.hosts.map(({ options: { name, ip, ports } }) => [
      name,
      { address: `${ip}:${ports.sql}` },
    ]);
    const billing = {
      engine: "kwdb",
      topology: "multi-replica",
      gates: { every: "250ms", dwell: "1s", limit: "2m" },
      nodes: Object.fromEntries(nodes),
    };
    const file = join(this.#folder, "fleet.yaml");
    await writeFile(file, JSON.stringify({ clusters: { billing } }));
    await this.#must("cluster", "apply", file);
  }

  async #must(...args: readonly string[]): Promise<void> {
    const { code, stderr } = await this.cli(args);
    if (code !== 0) throw new Error(`${args.join(" ")} ended with ${code}: ${stderr}`);
  }

  #command(args: readonly string[]): ChildProcess {
    const stdio = ["ignore", "pipe", "pipe"] as const;
    return spawn(process.execPath, [join(this.#dist, "lockkeeper"), ...args], { stdio: [...stdio] });
  }

  #addresses(): readonly string[] {
    return this.coordinators.map(({ address }) => address);
  }
}

interface FleetShown {
  readonly clusters: readonly {
    readonly nodes: readonly {
      readonly attached: boolean;
      readonly version: string;
      readonly state: string;
    }[];
  }[];
}

/** The programs of the present sources, in a folder of their own. */
export async function bundled(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "lockkeeper-dist-"));
  await bundleInto(folder);
  return folder;
}
