/** A PostgreSQL 15 and an 18 as processes on loopback, each with an agent; clients of an application on both. */
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import pg from "pg";
import { type Major, postgresFolder } from "#test/postgres/binaries.ts";
import { type PostgresServer, startPostgres } from "#test/postgres/server.ts";
import { postgresTools } from "#test/postgres/tools.ts";
import { DemoProcesses } from "../processes.ts";
import { MeansMissing } from "../staging.ts";

export const sides = {
  old1: { cluster: "orders", major: 15 },
  new1: { cluster: "orders-new", major: 18 },
} as const satisfies Record<string, { readonly cluster: string; readonly major: Major }>;
export type Node = keyof typeof sides;
const nodes = Object.keys(sides) as Node[];

const patienceMs = 3_000;

const serverSettings = {
  wal_level: "logical",
  max_replication_slots: "20",
  max_wal_senders: "20",
  max_worker_processes: "24",
  max_logical_replication_workers: "12",
};

export class PostgresDemo extends DemoProcesses {
  readonly #servers = new Map<Node, PostgresServer>();
  readonly #starting: Promise<unknown>[] = [];

  /** Refused with MeansMissing where this machine has no servers or no client programs for them. */
  async start(): Promise<void> {
    const tools = await this.#tools();
    this.mustGoOn();
    this.#starting.push(...nodes.map((node) => this.#startServer(node)));
    await Promise.all([this.startCoordinator(), ...this.#starting]);
    for (const node of nodes) await this.#startAgent(node, tools);
    await this.applyInventory(this.#inventory());
    await this.untilAttached();
  }

  server(node: Node): PostgresServer {
    return this.#servers.get(node) as PostgresServer;
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

  /** Processes end; the folder is the caller's to remove. */
  override async stop(): Promise<void> {
    await super.stop();
    // one that is only just starting has a process too
    await Promise.allSettled(this.#starting);
    await Promise.all([...this.#servers.values()].map((server) => server.kill()));
  }

  async #tools(): Promise<string> {
    try {
      for (const node of nodes) postgresFolder(sides[node].major);
    } catch {
      throw new MeansMissing(
        "PostgreSQL 15 and 18 are not here; they are npm packages of Lockkeeper's sources: run this in that folder, after make setup",
      );
    }
    const late = setTimeout(
      () => console.log("PostgreSQL's client programs are being fetched from Debian: once, about a minute."),
      patienceMs,
    );
    try {
      return await postgresTools(path.join(this.place.dist, "postgres-fetch.sh"));
    } catch {
      throw new MeansMissing(
        "psql, pg_dump, pg_dumpall and pg_restore of PostgreSQL 18 are neither here nor to be fetched: put their folder on PATH",
      );
    } finally {
      clearTimeout(late);
    }
  }

  async #startServer(node: Node): Promise<void> {
    const { major } = sides[node];
    try {
      const within = this.place.folder;
      const server = await startPostgres({ major, settings: serverSettings, superuser: "postgres", within });
      this.#servers.set(node, server);
    } catch (error) {
      const [why] = (error instanceof Error ? error.message : String(error)).split("\n");
      const asRoot =
        process.getuid?.() === 0
          ? "; it runs as nobody, who must be able to read this folder: try as another user than root"
          : "";
      throw new MeansMissing(`PostgreSQL ${major} does not start here (${why})${asRoot}`);
    }
  }

  async #startAgent(node: Node, tools: string): Promise<void> {
    const { folder, dist } = this.place;
    const { folder: own, port } = this.server(node);
    const stateDir = path.join(folder, `agent-${node}`);
    await mkdir(stateDir, { recursive: true });
    const config = path.join(folder, `agent-${node}.yaml`);
    await writeFile(
      config,
      `node: ${node}
coordinators: [${this.address}]
stateDir: ${stateDir}
runner: group
engine:
  kind: postgresql
  settings: { host: ${own}, port: ${port}, tools: ${tools}, passfileFolder: ${own} }
`,
    );
    this.spawn(
      `agent-${node}`,
      [path.join(dist, "lockkeeper-agent"), "run", "--config", config],
      process.env,
    );
  }

  #inventory(): string {
    const entries = nodes.map(
      (node) => `  ${sides[node].cluster}:
    engine: postgresql
    topology: standalone
    gates: { every: 100ms, dwell: 200ms, limit: 1m }
    nodes:
      ${node}: { address: "127.0.0.1:${this.server(node).port}" }
`,
    );
    return `clusters:\n${entries.join("")}`;
  }
}
