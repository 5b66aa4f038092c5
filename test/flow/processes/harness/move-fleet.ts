/** An old cluster with rows and a new, empty one: a demo host, an agent process each, one coordinator, a PostgreSQL behind. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { RolloutEvent } from "#coordinator/domain/rollout/event.ts";
import { createHosts, startCluster, stopCluster } from "#test/doubles/host/cluster.ts";
import { type DemoHost, freePorts } from "#test/doubles/host/create-host.ts";
import { giveRows } from "#test/doubles/host/rows.ts";
import { buildPackage } from "#test/doubles/kwdb/build-package.ts";
import { type PostgresServer, startPostgres } from "#test/doubles/postgres/server.ts";
import type { Follow, Ran } from "./fleet.ts";
import { Process } from "./process.ts";

export const sides = {
  old1: { cluster: "billing", version: "2.2.1" },
  new1: { cluster: "billing3", version: "3.1.0" },
};
export type Node = keyof typeof sides;
const nodes = Object.keys(sides) as Node[];

export class MoveFleet {
  readonly folder: string;
  readonly #dist: string;
  readonly #agents = new Map<Node, Process>();
  readonly #hosts = new Map<Node, DemoHost>();
  readonly #followers = new Set<ChildProcess>();
  #postgres: PostgresServer | undefined;
  #coordinator: Process | undefined;
  #address = "";

  private constructor(folder: string, dist: string) {
    this.folder = folder;
    this.#dist = dist;
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

  agent(node: Node): Process {
    return this.#agents.get(node) as Process;
  }

  host(node: Node): DemoHost {
    return this.#hosts.get(node) as DemoHost;
  }

  async sql(node: Node, ...statements: readonly string[]): Promise<string> {
    const words = statements.flatMap((text) => ["-e", text]);
    const ran = await this.host(node).kwbase("sql", "--insecure", ...words, "--format=csv");
    return `${ran.stdout}${ran.stderr}`.trim();
  }

  async cli(args: readonly string[]): Promise<Ran> {
    const child = this.#command(args);
    let stdout = "";
    let stderr = "";
    child.stdout?.on("data", (chunk: Buffer) => (stdout += chunk.toString("utf8")));
    child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString("utf8")));
    const code = await new Promise<number>((resolve) => child.on("close", (ended) => resolve(ended ?? 1)));
    return { code, stdout, stderr };
  }

  async plan(): Promise<Ran & { readonly file: string }> {
    const file = join(this.folder, "plan.json");
    const words = ["plan", "billing", "--to", "3.1.0", "--method", "export-import", "--into", "billing3"];
    return { ...(await this.cli([...words, "-o", file])), file };
  }

  follow(args: readonly string[], hear: (event: RolloutEvent) => void = () => {}): Follow {
    const child = this.#command([...args, "-o", "ndjson"]);
    this.#followers.add(child);
    const events: RolloutEvent[] = [];
    let stderr = "";
    child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString("utf8")));
    if (child.stdout !== null)
      createInterface({ input: child.stdout }).on("line", (line) => {
        const told = JSON.parse(line) as RolloutEvent;
        events.push(told);
        hear(told);
      });
    const ended = new Promise<Ran>((resolve) =>
      child.on("close", (code) => {
        this.#followers.delete(child);
        resolve({ code: code ?? 1, stdout: "", stderr });
      }),
    );
    return { events, ended };
  }

  async until(what: string, holds: () => Promise<boolean>, limitMs = 60_000): Promise<void> {
    for (const endMs = Date.now() + limitMs; Date.now() < endMs; await sleep(100)) if (await holds()) return;
    throw new Error(`not within ${limitMs} ms: ${what}\n${await this.log("coordinator")}`);
  }

  untilAttached(): Promise<void> {
    return this.until("both agents are attached", async () => {
      const { code, stdout } = await this.cli(["node", "list", "-o", "json"]);
      return code === 0 && stdout.match(/"attached": ?true/g)?.length === nodes.length;
    });
  }

  async log(of: string): Promise<string> {
    return readFile(join(this.folder, `${of}.log`), "utf8").catch(() => "");
  }

  async stop(): Promise<void> {
    for (const child of this.#followers) child.kill("SIGKILL");
    await Promise.all([...this.#agents.values()].map((agent) => agent.end()));
    await this.#coordinator?.end();
    await stopCluster([...this.#hosts.values()]);
    await this.#postgres?.stop();
    if (process.env["LOCKKEEPER_KEEP"] === undefined) await rm(this.folder, { recursive: true, force: true });
  }

  async #startHost(node: Node): Promise<void> {
    const { version } = sides[node];
    const assets = join(this.#dist, "demo/assets");
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
    this.#address = `127.0.0.1:${port}`;
    const file = join(this.folder, "coordinator.yaml");
    await writeFile(
      file,
      JSON.stringify({ listen: this.#address, stateDir: join(this.folder, "coordinator") }),
    );
    const argv = [join(this.#dist, "lockkeeper"), "serve", "--config", file];
    this.#coordinator = new Process({ argv, logFile: join(this.folder, "coordinator.log") });
    this.#coordinator.start();
  }

  async #startAgent(node: Node): Promise<void> {
    const host = this.host(node);
    const stateDir = join(this.folder, `agent-${node}`);
    await mkdir(stateDir, { recursive: true });
    const settings = {
      node,
      coordinators: [this.#address],
      stateDir,
      hostRoot: host.root,
      path: [join(host.root, "host-bin")],
      runner: "group",
      engine: { kind: "kwdb", settings: {} },
    };
    const file = join(this.folder, `agent-${node}.yaml`);
    await writeFile(file, JSON.stringify(settings));
    const argv = [join(this.#dist, "lockkeeper-agent"), "run", "--config", file];
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
    const { code, stderr } = await this.cli(["cluster", "apply", file]);
    if (code !== 0) throw new Error(stderr);
  }

  #command(args: readonly string[]): ChildProcess {
    const all = [join(this.#dist, "lockkeeper"), ...args, "--coordinator", this.#address];
    return spawn(process.execPath, all, { stdio: ["ignore", "pipe", "pipe"] });
  }
}
