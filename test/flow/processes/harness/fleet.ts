/**
 * Three demo hosts with their agents, and one or more coordinators, each a process of its own, from bundles made of
 * the present sources.
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RolloutEvent } from "#coordinator/domain/rollout/event.ts";
import { demoWords } from "#test/demo/script.ts";
import { startCluster, stopCluster } from "#test/doubles/host/cluster.ts";
import { type DemoHost, freePorts } from "#test/doubles/host/create-host.ts";
import { bundleInto } from "../../../../deploy/bundle.ts";
import { type Follow, Operator } from "./operator.ts";
import { Process } from "./process.ts";
import {
  agentSettings,
  clusterEntry,
  fromVersion,
  type Made,
  makeSite,
  type Site,
  toVersion,
} from "./site.ts";

export type { Follow };

export const lease = { lengthMs: 8_000, beatMs: 1_000 } as const;

export interface Coordinator {
  readonly name: string;
  readonly address: string;
  readonly stateDir: string;
  readonly process: Process;
}

export interface FleetOptions {
  readonly coordinators: number;
  /** Servers of NATS that the coordinators share; none: one coordinator with a server of its own. */
  readonly nats?: readonly string[];
  readonly site?: Site;
}

export class ProcessFleet extends Operator {
  readonly #site: Site;
  readonly #agents = new Map<string, Process>();
  #made: Made | undefined;
  coordinators: readonly Coordinator[] = [];

  private constructor(folder: string, dist: string, site: Site) {
    super(folder, dist);
    this.#site = site;
  }

  static async start(dist: string, options: FleetOptions): Promise<ProcessFleet> {
    const folder = await mkdtemp(join(tmpdir(), "lockkeeper-processes-"));
    const fleet = new ProcessFleet(folder, dist, options.site ?? {});
    try {
      await fleet.#begin(options);
    } catch (error) {
      await fleet.stop();
      throw error;
    }
    return fleet;
  }

  get addresses(): readonly string[] {
    return this.coordinators.map(({ address }) => address);
  }

  get agents(): number {
    return this.#agents.size;
  }

  get hosts(): readonly DemoHost[] {
    return this.#made?.hosts ?? [];
  }

  agent(name: string): Process {
    const found = this.#agents.get(name);
    if (found === undefined) throw new Error(`no agent ${name}`);
    return found;
  }

  /** The upgrade. */
  async plan(): Promise<string> {
    const { tarball = "", sha256 = "" } = this.#made?.packages.next ?? {};
    await this.must("artefact", "push", tarball);
    return this.#planned("billing", "--to", toVersion, "--sha256", sha256);
  }

  /** The package of the old version, put back where a person has left a node half-changed. */
  async planPutBack(): Promise<string> {
    const { tarball = "", sha256 = "" } = this.#made?.packages.old ?? {};
    await this.must("artefact", "push", tarball);
    return this.#planned("billing", "--to", fromVersion, "--sha256", sha256);
  }

  /** The way back from the last rollout. */
  async planBack(): Promise<string> {
    const { tarball = "", sha256 = "" } = this.#made?.packages.old ?? {};
    await this.must("artefact", "push", tarball);
    return this.#planned("--back", "billing", "--sha256", sha256);
  }

  /** `lockkeeper apply`; `words`: checks that are acknowledged beside the demo's own. */
  apply(plan: string, hear: (event: RolloutEvent) => void, words: readonly string[] = []): Follow {
    const said = [...demoWords, ...words.flatMap((check) => ["--ack", check])];
    return this.follow(["apply", plan, "-y", ...said, "--reason", "nobody's data"], hear);
  }

  async stop(): Promise<void> {
    this.endFollowers();
    await Promise.all([...this.#agents.values()].map((agent) => agent.end()));
    await Promise.all(this.coordinators.map((coordinator) => coordinator.process.end()));
    await stopCluster(this.hosts);
    if (process.env["LOCKKEEPER_KEEP"] === undefined) await rm(this.folder, { recursive: true, force: true });
  }

  async #planned(...words: readonly string[]): Promise<string> {
    const file = join(this.folder, "plan.json");
    await this.must("plan", ...words, "-o", file);
    return file;
  }

  async #begin(options: FleetOptions): Promise<void> {
    await Promise.all([this.#makeHosts(), this.#startCoordinators(options)]);
    for (const host of this.hosts) await this.#startAgent(host);
    await this.until("a coordinator leads", async () => (await this.cli(["lock", "list"])).code === 0);
    await this.#applyInventory();
    await this.untilAttached();
  }

  async #makeHosts(): Promise<void> {
    this.#made = await makeSite(this.#site, this.folder, join(this.dist, "demo/assets"));
    await startCluster(this.hosts);
  }

  async #startCoordinators({ coordinators, nats = [] }: FleetOptions): Promise<void> {
    const ports = await freePorts(coordinators);
    this.coordinators = await Promise.all(
      ports.map(async (port, index) => {
        const name = `coordinator-${index + 1}`;
        const address = `127.0.0.1:${port}`;
        const stateDir = join(this.folder, name);
        const file = join(this.folder, `${name}.yaml`);
        const settings = {
          listen: address,
          stateDir,
          name,
          lease: { length: `${lease.lengthMs}ms`, beat: `${lease.beatMs}ms` },
          nats: nats.length === 0 ? {} : { servers: nats, replicas: 1 },
        };
        await writeFile(file, JSON.stringify(settings));
        const argv = [join(this.dist, "lockkeeper"), "serve", "--config", file];
        const own = new Process({ argv, logFile: join(this.folder, `${name}.log`) });
        own.start();
        return { name, address, stateDir, process: own };
      }),
    );
  }

  async #startAgent(host: DemoHost): Promise<void> {
    const { name } = host.options;
    const stateDir = join(this.folder, `agent-${name}`);
    const file = join(this.folder, `agent-${name}.yaml`);
    await mkdir(stateDir, { recursive: true });
    const settings = {
      node: name,
      coordinators: this.addresses,
      stateDir,
      hostRoot: host.root,
      path: [join(host.root, "host-bin")],
      runner: "group",
      engine: { kind: "kwdb", settings: agentSettings(this.#site) },
    };
    await writeFile(file, JSON.stringify(settings));
    const argv = [join(this.dist, "lockkeeper-agent"), "run", "--config", file];
    const own = new Process({ argv, env: host.env, logFile: join(this.folder, `agent-${name}.log`) });
    own.start();
    this.#agents.set(name, own);
  }

  async #applyInventory(): Promise<void> {
    const nodes = this.hosts.map(({ options: { name, ip, ports } }) => [
      name,
      { address: `${ip}:${ports.sql}` },
    ]);
    const billing = { ...clusterEntry(this.#site), nodes: Object.fromEntries(nodes) };
    const file = join(this.folder, "fleet.yaml");
    await writeFile(file, JSON.stringify({ clusters: { billing } }));
    await this.must("cluster", "apply", file);
  }
}

/** The programs of the present sources, in a folder of their own. */
export async function bundled(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "lockkeeper-dist-"));
  await bundleInto(folder);
  return folder;
}
