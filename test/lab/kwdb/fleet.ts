// The whole product over a cluster of real hosts: a coordinator with a NATS of its own at our side of the lab's
// network, an agent on each host as the unit that we ship, and the command line as an operator types it.
import { access, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { FleetView, LockView, RolloutView } from "#coordinator/domain/views.ts";
import { natsBinary } from "#test/contract/nats/server.ts";
import type { Topology } from "#test/doubles/host/create-host.ts";
import type { BuiltPackage } from "#test/doubles/kwdb/build-package.ts";
import { createLab, type Lab, type RunResult, type Started } from "../harness/index.ts";
import { type KwdbCluster, type KwdbClusterSpec, startKwdbCluster, until } from "./cluster.ts";
import type { KwdbNode } from "./node.ts";

export interface FleetSpec extends KwdbClusterSpec {
  /** Kebab-case, of the lab. */
  readonly name: string;
  readonly to: string;
  /** The inventory's `gates`; short unless told, null for those of production. */
  readonly gates?: string | null;
  /** Each node's data is archived on the way. */
  readonly archives?: boolean;
  /** More of the entry's `settings`. */
  readonly settings?: string;
  /** The inventory's word; a script's unless told. */
  readonly deployment?: string;
  /** Further settings of each agent's engine, as YAML flow. */
  readonly agentSettings?: string;
  /** Makes the cluster; of packages on the hosts themselves unless told. */
  readonly start?: (lab: Lab, spec: KwdbClusterSpec) => Promise<KwdbCluster>;
}

export const clusterName = "billing";

/** As MODE says it, as the inventory says it. */
const declared: Readonly<Record<Topology, string>> = {
  single: "standalone",
  "single-replication": "single-replica",
  "multi-replication": "multi-replica",
};

/** On each host, where its data is archived. */
export const archiveDir = "/srv/archives";

const repository = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const shortGates = "{ every: 500ms, dwell: 2s, limit: 2m }";
const cliLimitMs = 60_000;
/** What a person knows of this lab: its data is worth nothing. */
const words = ["kwdb.backup", "kwdb.old-package", "kwdb.rolling-from-3-0", "kwdb.meddlers"];

export class LabFleet implements AsyncDisposable {
  readonly lab: Lab;
  readonly cluster: KwdbCluster;
  readonly #spec: FleetSpec;
  readonly address: string;
  #target: { readonly version: string; readonly built: BuiltPackage } | undefined;
  #oldPackage: string | undefined;
  coordinator: Started | undefined;

  constructor(spec: FleetSpec, lab: Lab, cluster: KwdbCluster) {
    this.#spec = spec;
    this.lab = lab;
    this.cluster = cluster;
    this.address = `${lab.ip}:7440`;
  }

  get nodes(): readonly KwdbNode[] {
    return this.cluster.nodes;
  }

  node(name: string): KwdbNode {
    const node = this.nodes.find(({ host }) => host.name === name);
    if (node === undefined) throw new Error(`no host ${name}`);
    return node;
  }

  async begin(): Promise<void> {
    await Promise.all([this.startCoordinator(), ...this.nodes.map((node) => this.installAgent(node))]);
    await this.applyInventory();
    await this.untilAttached();
    await this.aim(this.#spec.to);
  }

  /** Builds and pushes the package of the version that the next upgrade goes to. */
  async aim(
    version: string,
    spoil: (built: BuiltPackage) => Promise<BuiltPackage> = async (built) => built,
  ): Promise<void> {
    this.#target = { version, built: await spoil(await this.cluster.packageOf(version)) };
    await this.must("artefact", "push", this.#target.built.tarball);
  }

  /** Pushes the package of the version that runs now, and has it kept on each node by the next upgrade. */
  async keepOldPackage(): Promise<void> {
    const old = await this.cluster.packageOf(this.#spec.version);
    await this.must("artefact", "push", old.tarball);
    this.#oldPackage = old.sha256;
    await this.applyInventory();
  }

  async startCoordinator(): Promise<void> {
    const config = this.lab.file("coordinator.yaml");
    const lines = [
      `listen: "${this.address}"`,
      "insecure: true",
      "name: lab",
      `stateDir: ${this.lab.file("coordinator")}`,
      `nats: { binary: ${natsBinary()} }`,
    ];
    await writeFile(config, `${lines.join("\n")}\n`);
    const argv = [process.execPath, program("lockkeeper"), "serve", "--config", config];
    const started = this.lab.start(argv, { outputFile: this.lab.file("coordinator.log") });
    this.coordinator = started;
    await until("the coordinator leads", async () => {
      if (!started.isRunning) throw new Error(`the coordinator ended: ${started.output().slice(-2000)}`);
      return (await this.cli("doctor")).code !== 11;
    });
  }

  /** Puts the shipped unit and the built program on the host, and starts it. */
  async installAgent({ host }: KwdbNode): Promise<void> {
    const [agent, unit] = await Promise.all([
      readFile(program("lockkeeper-agent")),
      readFile(repository("deploy/systemd/lockkeeper-agent.service")),
    ]);
    await host.write("/usr/lib/lockkeeper/package.json", '{"type":"module"}\n');
    await host.write("/usr/lib/lockkeeper/lockkeeper-agent", agent, "0755");
    await host.must(["ln", "-sf", "/usr/lib/lockkeeper/lockkeeper-agent", "/usr/bin/lockkeeper-agent"]);
    await host.write("/etc/systemd/system/lockkeeper-agent.service", unit);
    const lines = [
      `node: ${host.name}`,
      `coordinators: ["${this.address}"]`,
      "insecure: true",
      "stateDir: /var/lib/lockkeeper-agent",
      "runner: unit",
      `engine: { kind: kwdb, settings: { ${this.#spec.agentSettings ?? (this.#spec.archives === true ? `archiveDir: ${archiveDir}` : "")} } }`,
    ];
    await host.must(["mkdir", "-p", archiveDir]);
    await host.write("/etc/lockkeeper/agent.yaml", `${lines.join("\n")}\n`);
    await host.must(["systemctl", "daemon-reload"]);
    await host.must(["systemctl", "enable", "--quiet", "--now", "lockkeeper-agent"]);
  }

  async applyInventory(): Promise<void> {
    const { gates = shortGates } = this.#spec;
    const settings = [
      ...(this.#spec.archives === true ? [`archive-data: true${this.#spec.settings ?? ""}`] : []),
      ...(this.#oldPackage === undefined ? [] : [`old-package: ${this.#oldPackage}`]),
    ];
    const lines = [
      "clusters:",
      `  ${clusterName}:`,
      "    engine: kwdb",
      `    topology: ${declared[this.#spec.topology ?? "multi-replication"]}`,
      ...(this.#spec.deployment === undefined ? [] : [`    deployment: ${this.#spec.deployment}`]),
      ...(gates === null ? [] : [`    gates: ${gates}`]),
      ...(settings.length === 0 ? [] : [`    settings: { ${settings.join(", ")} }`]),
      "    nodes:",
      ...this.nodes.map(({ host }) => `      ${host.name}: { address: "${host.ip}" }`),
    ];
    const file = this.lab.file("fleet.yaml");
    await writeFile(file, `${lines.join("\n")}\n`);
    await this.must("cluster", "apply", file);
  }

  async untilAttached(): Promise<void> {
    await until("all agents are attached", async () => {
      const list = await this.cli("node", "list", "-o", "json");
      if (list.code !== 0) return false;
      const { clusters } = JSON.parse(list.stdout) as FleetView;
      return clusters.flatMap(({ nodes }) => nodes).every(({ attached }) => attached);
    });
  }

  /** Runs a command of the product to its end, as an operator at the coordinator's side. */
  cli(...words: readonly string[]): Promise<RunResult> {
    return this.longCli(cliLimitMs, ...words);
  }

  longCli(timeoutMs: number, ...words: readonly string[]): Promise<RunResult> {
    const argv = [process.execPath, program("lockkeeper"), ...words, "--coordinator", this.address];
    return this.lab.run(argv, { timeoutMs });
  }

  async must(...words: readonly string[]): Promise<string> {
    const result = await this.cli(...words);
    if (result.code === 0) return result.stdout;
    throw new Error(`lockkeeper ${words.join(" ")}: ${await this.explained(result)}`);
  }

  /** What a command said, with the last words of the coordinator and of the agents: for a test that fails. */
  async explained({ code, stdout, stderr }: RunResult): Promise<string> {
    const standing = this.coordinator?.isRunning === true ? "runs" : "has ended";
    const said = [
      `${code}\n${stdout}${stderr}`,
      `coordinator ${standing}:`,
      this.coordinator?.output() ?? "",
    ];
    for (const { host } of this.nodes.filter((node) => node.host.isOn)) {
      const words = await host.journal({ unit: "lockkeeper-agent" });
      const own = words.filter(({ fields }) => !/^(sudo|runuser)$/.test(fields["SYSLOG_IDENTIFIER"] ?? ""));
      said.push(
        `${host.name}:`,
        ...own.slice(-15).map(({ at, message }) => `${at.toISOString()} ${message}`),
      );
    }
    return said.join("\n");
  }

  async json<T>(...words: readonly string[]): Promise<T> {
    return JSON.parse(await this.must(...words, "-o", "json")) as T;
  }

  /** cluster, version and digest of the package that the fleet is to get. */
  get targetWords(): readonly string[] {
    const { version = "", built } = this.#target ?? {};
    return [clusterName, "--to", version, "--sha256", built?.sha256 ?? ""];
  }

  get planFile(): string {
    return this.lab.file("plan.json");
  }

  /** Makes the plan and applies it; the command follows to the rollout's end or stop. */
  async upgrade(limitMs = 240_000, ...more: readonly string[]): Promise<RunResult> {
    await this.must("plan", ...this.targetWords, "-o", this.planFile);
    return this.apply(limitMs, ...more);
  }

  apply(limitMs = 240_000, ...more: readonly string[]): Promise<RunResult> {
    return this.applyFile(this.planFile, limitMs, ...more);
  }

  applyFile(file: string, limitMs = 240_000, ...more: readonly string[]): Promise<RunResult> {
    const acknowledged = words.flatMap((check) => ["--ack", check]);
    const reason = ["--reason", "the lab's data is worth nothing"];
    return this.longCli(limitMs, "apply", file, "-y", ...acknowledged, ...reason, ...more);
  }

  rollout(): Promise<RolloutView> {
    return this.json<RolloutView>("status", clusterName);
  }

  /** Process id of the nats-server that the coordinator keeps. */
  async natsPid(): Promise<number> {
    const { pid } = JSON.parse(await readFile(this.lab.file("coordinator/nats/running.json"), "utf8")) as {
      readonly pid: number;
    };
    return pid;
  }

  async lock(): Promise<LockView> {
    return this.json<LockView>("lock", "show", clusterName);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.coordinator?.[Symbol.asyncDispose]();
    await this.lab[Symbol.asyncDispose]();
  }
}

function program(name: string): string {
  return repository(`dist/${name}`);
}

/** Lab, cluster, coordinator, agents, package: all there and attached when this returns. */
export async function startFleet(spec: FleetSpec): Promise<LabFleet> {
  await access(program("lockkeeper")).catch(() => {
    throw new Error("dist/lockkeeper is not there: run make build");
  });
  const lab = await createLab({ name: spec.name });
  try {
    const fleet = new LabFleet(spec, lab, await (spec.start ?? startKwdbCluster)(lab, spec));
    await fleet.begin();
    return fleet;
  } catch (error) {
    await lab[Symbol.asyncDispose]();
    throw error;
  }
}
