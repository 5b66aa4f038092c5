/** Two PostgreSQL servers of different majors, an agent process each, one coordinator: databases go from the one to the other. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { freePorts } from "#test/doubles/host/create-host.ts";
import type { Major } from "#test/postgres/binaries.ts";
import { type PostgresServer, startPostgres } from "#test/postgres/server.ts";
import { startStandby } from "#test/postgres/standby.ts";
import { postgresTools } from "#test/postgres/tools.ts";
import type { Coordinator } from "./fleet.ts";
import { Operator, type Ran } from "./operator.ts";
import { Process } from "./process.ts";

export const clusters = { old1: "orders", new1: "orders-new" } as const;
export type Node = keyof typeof clusters;
const nodes = Object.keys(clusters) as Node[];

export interface PostgresFleetOptions {
  readonly old: Major;
  readonly new: Major;
  /** Of the source's entry. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Of both servers. */
  readonly server?: Readonly<Record<string, string>>;
}

const logical = {
  wal_level: "logical",
  max_replication_slots: "20",
  max_wal_senders: "20",
  max_worker_processes: "24",
  max_logical_replication_workers: "12",
};

export class PostgresFleet extends Operator {
  readonly #options: PostgresFleetOptions;
  readonly #agents = new Map<Node, Process>();
  readonly #servers = new Map<Node, PostgresServer>();
  readonly #standbys: PostgresServer[] = [];
  coordinators: readonly Coordinator[] = [];
  readonly agents = nodes.length;

  private constructor(folder: string, dist: string, options: PostgresFleetOptions) {
    super(folder, dist);
    this.#options = options;
  }

  get addresses(): readonly string[] {
    return this.coordinators.map(({ address }) => address);
  }

  static async start(dist: string, options: PostgresFleetOptions): Promise<PostgresFleet> {
    const folder = await mkdtemp(join(tmpdir(), "lockkeeper-pgfleet-"));
    const fleet = new PostgresFleet(folder, dist, options);
    try {
      await Promise.all([
        fleet.#startCoordinator(),
        ...nodes.map((node) => fleet.#startServer(node, node === "old1" ? options.old : options.new)),
      ]);
      for (const node of nodes) await fleet.#startAgent(node);
      await fleet.until("a coordinator leads", async () => (await fleet.cli(["lock", "list"])).code === 0);
      await fleet.applyInventory();
      await fleet.untilAttached();
      return fleet;
    } catch (error) {
      await fleet.stop();
      throw error;
    }
  }

  agent(node: string): Process {
    return this.#agents.get(node as Node) as Process;
  }

  server(node: Node): PostgresServer {
    return this.#servers.get(node) as PostgresServer;
  }

  async strikeServer(node: string): Promise<void> {
    const server = this.server(node as Node);
    await server.kill();
    await server.start();
  }

  /** A standby of one of the servers; it is ended with the fleet. */
  async addStandby(node: Node): Promise<PostgresServer> {
    const standby = await startStandby(this.server(node), { ...logical, ...this.#options.server });
    this.#standbys.push(standby);
    return standby;
  }

  /** As the superuser, behind any fence. */
  async on<T>(node: Node, database: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
    const options = "-c default_transaction_read_only=off";
    const client = new pg.Client({ connectionString: this.server(node).urlOf(database), options });
    client.on("error", () => undefined);
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }

  async plan(...more: readonly string[]): Promise<Ran & { readonly file: string }> {
    const file = join(this.folder, "plan.json");
    const words = ["plan", clusters.old1, "--to", String(this.#options.new), "--into", clusters.new1];
    return { ...(await this.cli([...words, ...more, "-o", file])), file };
  }

  async stop(): Promise<void> {
    this.endFollowers();
    await Promise.all([...this.#agents.values()].map((agent) => agent.end()));
    for (const { process: own } of this.coordinators) await own.end();
    await Promise.all([...this.#standbys, ...this.#servers.values()].map((server) => server.stop()));
    if (process.env["LOCKKEEPER_KEEP"] === undefined) await rm(this.folder, { recursive: true, force: true });
  }

  async applyInventory(): Promise<void> {
    const entries = nodes.map((node) => {
      const entry = {
        engine: "postgresql",
        topology: "standalone",
        gates: { every: "200ms", dwell: "400ms", limit: "1m" },
        settings: node === "old1" ? (this.#options.settings ?? {}) : {},
        nodes: { [node]: { address: `127.0.0.1:${this.server(node).port}` } },
      };
      return [clusters[node], entry] as const;
    });
    const file = join(this.folder, "fleet.yaml");
    await writeFile(file, JSON.stringify({ clusters: Object.fromEntries(entries) }));
    await this.must("cluster", "apply", file);
  }

  async #startServer(node: Node, major: Major): Promise<void> {
    const settings = { ...logical, ...this.#options.server };
    this.#servers.set(node, await startPostgres({ major, settings, superuser: "postgres" }));
  }

  async #startCoordinator(): Promise<void> {
    const [port = 0] = await freePorts(1);
    const address = `127.0.0.1:${port}`;
    const stateDir = join(this.folder, "coordinator");
    const file = join(this.folder, "coordinator.yaml");
    await writeFile(file, JSON.stringify({ listen: address, stateDir }));
    const argv = [join(this.dist, "lockkeeper"), "serve", "--config", file];
    const own = new Process({ argv, logFile: join(this.folder, "coordinator.log") });
    own.start();
    this.coordinators = [{ name: "coordinator", address, stateDir, process: own }];
  }

  /** The same agent with other words in its file: where it looks for its server, and as whom. */
  async restartAgent(node: Node, settings: Readonly<Record<string, unknown>> = {}): Promise<void> {
    await this.agent(node).end();
    await this.#startAgent(node, settings);
    await this.untilAttached();
  }

  async #startAgent(node: Node, changed: Readonly<Record<string, unknown>> = {}): Promise<void> {
    const server = this.server(node);
    const stateDir = join(this.folder, `agent-${node}`);
    await mkdir(stateDir, { recursive: true });
    const settings = {
      node,
      coordinators: this.addresses,
      stateDir,
      runner: "group",
      engine: {
        kind: "postgresql",
        settings: {
          host: server.folder,
          port: server.port,
          tools: await postgresTools(),
          passfileFolder: server.folder,
          log: server.logFile,
          ...changed,
        },
      },
    };
    const file = join(this.folder, `agent-${node}.yaml`);
    await writeFile(file, JSON.stringify(settings));
    const argv = [join(this.dist, "lockkeeper-agent"), "run", "--config", file];
    const own = new Process({ argv, logFile: join(this.folder, `agent-${node}.log`) });
    own.start();
    this.#agents.set(node, own);
  }
}
