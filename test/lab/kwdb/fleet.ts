// The whole product over a KWDB cluster of real hosts, and the package that it is to get.
import type { Topology } from "#test/doubles/host/create-host.ts";
import type { BuiltPackage } from "#test/doubles/kwdb/build-package.ts";
import { createLab, type Host, type Lab, type RunResult } from "../harness/index.ts";
import { mustBeBuilt, ProductFleet } from "../product/product.ts";
import { type KwdbCluster, type KwdbClusterSpec, startKwdbCluster } from "./cluster.ts";
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

const shortGates = "{ every: 500ms, dwell: 2s, limit: 2m }";
/** What a person knows of this lab: its data is worth nothing. */
const words = ["kwdb.backup", "kwdb.old-package", "kwdb.rolling-from-3-0", "kwdb.meddlers"];

export class LabFleet extends ProductFleet {
  override readonly clusterName = clusterName;
  override readonly acknowledged = words;
  readonly cluster: KwdbCluster;
  readonly #spec: FleetSpec;
  #target: { readonly version: string; readonly built: BuiltPackage } | undefined;
  #oldPackage: string | undefined;

  constructor(spec: FleetSpec, lab: Lab, cluster: KwdbCluster) {
    super(lab);
    this.#spec = spec;
    this.cluster = cluster;
  }

  override get hosts(): readonly Host[] {
    return this.nodes.map(({ host }) => host);
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

  async installAgent({ host }: KwdbNode): Promise<void> {
    const archives = this.#spec.archives === true ? `archiveDir: ${archiveDir}` : "";
    await host.must(["mkdir", "-p", archiveDir]);
    await this.placeAgent({
      host,
      node: host.name,
      engine: `{ kind: kwdb, settings: { ${this.#spec.agentSettings ?? archives} } }`,
    });
  }

  async applyInventory(): Promise<void> {
    const { gates = shortGates } = this.#spec;
    const settings = [
      ...(this.#spec.archives === true ? [`archive-data: true${this.#spec.settings ?? ""}`] : []),
      ...(this.#oldPackage === undefined ? [] : [`old-package: ${this.#oldPackage}`]),
    ];
    await this.applyClusters({
      [clusterName]: [
        "engine: kwdb",
        `topology: ${declared[this.#spec.topology ?? "multi-replication"]}`,
        ...(this.#spec.deployment === undefined ? [] : [`deployment: ${this.#spec.deployment}`]),
        ...(gates === null ? [] : [`gates: ${gates}`]),
        ...(settings.length === 0 ? [] : [`settings: { ${settings.join(", ")} }`]),
        "nodes:",
        ...this.nodes.map(({ host }) => `  ${host.name}: { address: "${host.ip}" }`),
      ],
    });
  }

  /** cluster, version and digest of the package that the fleet is to get. */
  get targetWords(): readonly string[] {
    const { version = "", built } = this.#target ?? {};
    return [clusterName, "--to", version, "--sha256", built?.sha256 ?? ""];
  }

  /** Makes the plan and applies it; the command follows to the rollout's end or stop. */
  async upgrade(limitMs = 240_000, ...more: readonly string[]): Promise<RunResult> {
    await this.must("plan", ...this.targetWords, "-o", this.planFile);
    return this.apply(limitMs, ...more);
  }
}

/** Lab, cluster, coordinator, agents, package: all there and attached when this returns. */
export async function startFleet(spec: FleetSpec): Promise<LabFleet> {
  await mustBeBuilt();
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
