// The whole product over two PostgreSQL clusters of one real host each: the old major, and the new one it goes into.
import { createLab, type Host, type Lab, type RunResult } from "../harness/index.ts";
import { mustBeBuilt, ProductFleet } from "../product/product.ts";
import { type Major, type PgHost, type PgHostSpec, port, startPgHost } from "./pg-host.ts";

interface Servers {
  readonly old: PgHost;
  readonly new: PgHost;
  readonly others?: readonly PgHost[];
}

interface ServerSpec extends Pick<PgHostSpec, "checksums" | "settings"> {
  /** Debian packages beyond the server's, by its major: `postgresql-15-pglogical`. */
  readonly packages?: (major: Major) => readonly string[];
}

export interface PgFleetSpec {
  /** Kebab-case, of the lab. */
  readonly name: string;
  readonly old: Major;
  readonly new: Major;
  /** Of both servers. */
  readonly servers?: ServerSpec;
  /** The old cluster where it is more than one server: its primary first, then the others, which are its nodes too. */
  readonly oldServers?: (lab: Lab) => Promise<readonly PgHost[]>;
  /** The new cluster's host, where it is another than one whose server serves. */
  readonly newServer?: (lab: Lab) => Promise<PgHost>;
  /** Of the plan; the server's own replication unless told. */
  readonly method?: "pglogical";
  /** The inventory's `gates`. */
  readonly gates?: string;
  /** More of both entries' `settings`, as YAML flow without braces. */
  readonly settings?: string;
}

export const oldCluster = "orders";
export const newCluster = "orders-new";
export const nodes = { old: "old1", new: "new1" } as const;

const shortGates = "{ every: 500ms, dwell: 1s, limit: 5m }";

export class PgFleet extends ProductFleet {
  override readonly clusterName = oldCluster;
  override readonly acknowledged: readonly string[] = [];
  readonly old: PgHost;
  readonly new: PgHost;
  /** Of the old cluster, beside its first. */
  readonly others: readonly PgHost[];
  readonly #spec: PgFleetSpec;

  constructor(spec: PgFleetSpec, lab: Lab, servers: Servers) {
    super(lab);
    this.#spec = spec;
    this.old = servers.old;
    this.new = servers.new;
    this.others = servers.others ?? [];
  }

  /** Hosts, servers, coordinator, agents, inventory: all there and attached when this returns. */
  static async start(spec: PgFleetSpec): Promise<PgFleet> {
    await mustBeBuilt();
    const lab = await createLab({ name: spec.name });
    try {
      const fleet = new PgFleet(spec, lab, await startServers(lab, spec));
      await fleet.#begin();
      return fleet;
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
  }

  override get hosts(): readonly Host[] {
    return [this.old, ...this.others, this.new].map(({ host }) => host);
  }

  async applyInventory(): Promise<void> {
    const { gates = shortGates, settings = "" } = this.#spec;
    const entry = (servers: Readonly<Record<string, PgHost>>) => [
      "engine: postgresql",
      `topology: ${Object.keys(servers).length > 1 ? "single-replica" : "standalone"}`,
      "deployment: script",
      `gates: ${gates}`,
      `settings: { ${settings} }`,
      "nodes:",
      ...Object.entries(servers).map(([node, { host }]) => `  ${node}: { address: "${host.ip}:${port}" }`),
    ];
    await this.applyClusters({
      [oldCluster]: entry(this.#oldNodes),
      [newCluster]: entry({ [nodes.new]: this.new }),
    });
  }

  /** The command that plans the way into the new cluster; its file is `planFile`. */
  plan(...more: readonly string[]): Promise<RunResult> {
    const { method } = this.#spec;
    const words = [oldCluster, "--to", String(this.#spec.new), "--into", newCluster];
    if (method !== undefined) words.push("--method", method);
    return this.cli("plan", ...words, ...more, "-o", this.planFile);
  }

  /** By name: old1, old2 … */
  get #oldNodes(): Readonly<Record<string, PgHost>> {
    const others = this.others.map((server, index) => [`old${index + 2}`, server] as const);
    return Object.fromEntries([[nodes.old, this.old], ...others]);
  }

  async #begin(): Promise<void> {
    const all = Object.entries({ ...this.#oldNodes, [nodes.new]: this.new });
    const agents = all.map(([node, { host, agentEngine }]) =>
      this.placeAgent({ host, node, engine: agentEngine }),
    );
    await Promise.all([this.startCoordinator(), ...agents]);
    await this.applyInventory();
    await this.untilAttached();
  }
}

async function startServers(lab: Lab, spec: PgFleetSpec): Promise<Servers> {
  const { new: major, servers = {}, oldServers, newServer } = spec;
  if (oldServers === undefined) return startPair(lab, spec);
  const [[old, ...others], young] = await Promise.all([
    oldServers(lab),
    newServer?.(lab) ?? startPgHost({ lab, name: "pg-new", major, number: 21, ...ofMajor(major, servers) }),
  ]);
  if (old === undefined) throw new Error("the old cluster has no server");
  return { old, others, new: young };
}

/** Two hosts that serve, without anything of the product. */
export async function startPair(
  lab: Lab,
  { old, new: young, servers = {} }: Pick<PgFleetSpec, "old" | "new" | "servers">,
): Promise<{ readonly old: PgHost; readonly new: PgHost }> {
  const [first, second] = await Promise.all([
    startPgHost({ lab, name: "pg-old", major: old, number: 11, ...ofMajor(old, servers) }),
    startPgHost({ lab, name: "pg-new", major: young, number: 21, ...ofMajor(young, servers) }),
  ]);
  return { old: first, new: second };
}

function ofMajor(
  major: Major,
  { packages, ...rest }: ServerSpec,
): Pick<PgHostSpec, "packages" | "checksums" | "settings"> {
  return packages === undefined ? rest : { ...rest, packages: packages(major) };
}
