/** An old cluster with rows and a new, empty one: a demo host, an agent process each, one coordinator, a PostgreSQL behind. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHosts, startCluster, stopCluster } from "#test/doubles/host/cluster.ts";
import { type DemoHost, freePorts } from "#test/doubles/host/create-host.ts";
import { giveRows } from "#test/doubles/host/rows.ts";
import { buildPackage } from "#test/doubles/kwdb/build-package.ts";
import { type PostgresServer, startPostgres } from "#test/postgres/server.ts";
import type { Coordinator } from "./fleet.ts";
import { Operator, type Ran } from "./operator.ts";
import { Process } from "./process.ts";

export const sides = {
  old1: { cluster: "billing", version: "2.2.1" },
  new1: { cluster: "billing3", version: "3.1.0" },
};
export type Node = keyof typeof sides;
const nodes = Object.keys(sides) as Node[];

export class MoveFleet extends Operator {
  readonly #agents = new Map<Node, Process>();
  readonly #hosts = new Map<Node, DemoHost>();
  #postgres: PostgresServer | undefined;
  coordinators: readonly Coordinator[] = [];
  readonly agents = nodes.length;

  get addresses(): readonly string[] {
    return this.coordinators.map(({ address }) => address);
  }

  /** `settings`: of the old cluster's entry. */
  static async start(dist: string, settings: Readonly<Record<string, string>> = {}): Promise<MoveFleet> {
    const fleet = new MoveFleet(await mkdtemp(join(tmpdir(), "lockkeeper-move-")), dist);
    try {
      fleet.#postgres = await startPostgres();
      await Promise.all([fleet.#startCoordinator(), ...nodes.map((node) => fleet.#startHost(node))]);
      for (const node of nodes) await fleet.#startAgent(node);
      await fleet.until("a coordinator leads", async () => (await fleet.cli(["lock", "list"])).code === 0);
      await fleet.#applyInventory(settings);
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

  host(node: Node): DemoHost {
    return this.#hosts.get(node) as DemoHost;
  }

  async sql(node: Node, ...statements: readonly string[]): Promise<string> {
    const words = statements.flatMap((text) => ["-e", text]);
    const ran = await this.host(node).kwbase("sql", "--insecure", ...words, "--format=csv");
    return `${ran.stdout}${ran.stderr}`.trim();
  }

  async plan(): Promise<Ran & { readonly file: string }> {
    const file = join(this.folder, "plan.json");
    const words = ["plan", "billing", "--to", "3.1.0", "--method", "export-import", "--into", "billing3"];
    return { ...(await this.cli([...words, "-o", file])), file };
  }

  async stop(): Promise<void> {
    this.endFollowers();
    await Promise.all([...this.#agents.values()].map((agent) => agent.end()));
    for (const { process: own } of this.coordinators) await own.end();
    await stopCluster([...this.#hosts.values()]);
    await this.#postgres?.stop();
    if (process.env["LOCKKEEPER_KEEP"] === undefined) await rm(this.folder, { recursive: true, force: true });
  }

  async #startHost(node: Node): Promise<void> {
    const { version } = sides[node];
    const assets = join(this.dist, "demo/assets");
    const installed = await buildPackage({ assets, version, out: join(this.folder, `package-${version}`) });
    const root = join(this.folder, "hosts");
    const made = await createHosts({
      assets,
      installed,
      root,
      names: [node],
      topology: "single",
      tickScale: 0.05,
    });
    giveRows(made, this.#postgres?.url ?? "", `${node}_`);
    for (const host of made) this.#hosts.set(node, host);
    await startCluster(made);
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

  async #startAgent(node: Node): Promise<void> {
    const host = this.host(node);
    const stateDir = join(this.folder, `agent-${node}`);
    await mkdir(stateDir, { recursive: true });
    const settings = {
      node,
      coordinators: this.addresses,
      stateDir,
      hostRoot: host.root,
      path: [join(host.root, "host-bin")],
      runner: "group",
      engine: { kind: "kwdb", settings: {} },
    };
    const file = join(this.folder, `agent-${node}.yaml`);
    await writeFile(file, JSON.stringify(settings));
    const argv = [join(this.dist, "lockkeeper-agent"), "run", "--config", file];
    const own = new Process({ argv, env: host.env, logFile: join(this.folder, `agent-${node}.log`) });
    own.start();
    this.#agents.set(node, own);
  }

  async #applyInventory(settings: Readonly<Record<string, string>>): Promise<void> {
    const entries = nodes.map((node) => {
      const { ip, ports } = this.host(node).options;
      const entry = {
        engine: "kwdb",
        topology: "standalone",
        gates: { every: "250ms", dwell: "1s", limit: "2m" },
        ...(node === "old1" ? { settings } : {}),
        nodes: { [node]: { address: `${ip}:${ports.sql}` } },
      };
      return [sides[node].cluster, entry] as const;
    });
    const file = join(this.folder, "fleet.yaml");
    await writeFile(file, JSON.stringify({ clusters: Object.fromEntries(entries) }));
    await this.must("cluster", "apply", file);
  }
}
