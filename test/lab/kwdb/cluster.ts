// Three real hosts with a real kaiwudb.service each: the stand-in's packages through the host's own dpkg, started by
// its own systemd, one multi-replica cluster at an old version. What upgrades it is for the suites to bring.
import type { HostOptions, Topology } from "#test/doubles/host/create-host.ts";
import { buildAssets } from "#test/doubles/kwdb/build-assets.ts";
import { type BuiltPackage, buildPackage } from "#test/doubles/kwdb/build-package.ts";
import { makeAuthority } from "#test/doubles/kwdb/make-certs.ts";
import { debianRoot, type Host, type Lab, until } from "../harness/index.ts";
import { installKwdb } from "./installer.ts";
import { KwdbNode, PORTS } from "./node.ts";

export interface KwdbClusterSpec {
  /** The version that is running when the cluster is handed over. */
  readonly version: string;
  readonly topology?: Topology;
  /** Names of the hosts, in the order of their node ids. */
  readonly names?: readonly string[];
  /** Debian packages beyond those that KWDB needs. */
  readonly packages?: readonly string[];
  /** How many of our seconds a second of the database lasts; 0.1 unless told, 1 for the real pace. */
  readonly tickScale?: number;
  /** Last number of the first host's address, where a lab has several clusters. */
  readonly firstHost?: number;
  /** Path on this machine → path in each host, read-only. */
  readonly binds?: Readonly<Record<string, string>>;
  /** With certificates of an authority of its own. */
  readonly secure?: boolean;
  /** The Docker engine of each host has a small disk of its own, of so many MB. */
  readonly engineDiskMb?: number;
  /** Done on each host when KWDB is installed and does not run yet. */
  readonly prepare?: (host: Host) => Promise<void>;
}

export interface KwdbCluster {
  readonly nodes: readonly KwdbNode[];
  /** The package of another version, as the vendor ships it; with the vendor's own scripts when KWDB_SCRIPTS names them. */
  packageOf(version: string): Promise<BuiltPackage>;
  /** Waits until every node that is on sees `expected` nodes as available and live. */
  untilHealthy(expected?: number): Promise<void>;
}

const FIRST_HOST = 11;

/** Boots the hosts, installs, starts and initialises; the cluster is healthy from every node when this returns. */
export async function startKwdbCluster(lab: Lab, spec: KwdbClusterSpec): Promise<KwdbCluster> {
  const assets = await buildAssets(lab.file("kwdb-assets"));
  const packageOf = (version: string) => buildFor(lab, assets, version);
  const [installed, root] = await Promise.all([
    packageOf(spec.version),
    debianRoot({ suite: "bookworm", packages: spec.packages ?? [] }),
  ]);
  const authority = spec.secure === true ? await makeAuthority(lab.file("authority")) : undefined;
  const names = spec.names ?? ["db1", "db2", "db3"];
  const addresses = names.map((_, at) => lab.ip.replace(/\d+$/, String((spec.firstHost ?? FIRST_HOST) + at)));
  const nodes = await Promise.all(
    names.map(async (name, at) => {
      const host = await lab.host({ name, root, ip: addresses[at] ?? "", binds: spec.binds ?? {} });
      await installKwdb(host, hostOptions(spec, { name, at, addresses, installed, authority }));
      await spec.prepare?.(host);
      return new KwdbNode(host, spec.secure);
    }),
  );
  await startAll(nodes, spec.topology ?? "multi-replication");
  const untilHealthy = (expected = nodes.length) => untilAllSee(nodes, expected);
  await untilHealthy();
  return { nodes, packageOf, untilHealthy };
}

function buildFor(lab: Lab, assets: string, version: string): Promise<BuiltPackage> {
  const scripts = process.env["KWDB_SCRIPTS"];
  const out = lab.file(`kwdb-${version}`);
  return buildPackage({ assets, version, out, ...(scripts === undefined ? {} : { scripts }) });
}

interface Place {
  readonly name: string;
  readonly at: number;
  readonly addresses: readonly string[];
  readonly installed: BuiltPackage;
  readonly authority: string | undefined;
}

function hostOptions(spec: KwdbClusterSpec, place: Place): HostOptions {
  const ip = place.addresses[place.at] ?? "";
  return {
    name: place.name,
    ip,
    ports: PORTS,
    topology: spec.topology ?? "multi-replication",
    installed: place.installed,
    join: `${place.addresses[0] ?? ""}:${PORTS.sql}`,
    others: place.addresses.filter((other) => other !== ip),
    tickScale: spec.tickScale ?? 0.1,
    ...(place.authority === undefined ? {} : { authority: place.authority }),
  };
}

/** The first node is initialised alone, so that node ids follow the hosts' order. */
async function startAll(nodes: readonly KwdbNode[], topology: Topology): Promise<void> {
  for (const [at, node] of nodes.entries()) {
    await node.host.must(["systemctl", "start", "kaiwudb"]);
    if (at === 0 && topology !== "single") {
      await until("the first node listens", async () => (await node.readyStatus()) !== 0);
      const init = await node.kwbase("init");
      if (init.code !== 0) throw new Error(`kwbase init: ${init.stderr}`);
    }
    await until(`${node.host.name} is ready`, async () => (await node.readyStatus()) === 200);
  }
}

async function untilAllSee(nodes: readonly KwdbNode[], expected: number): Promise<void> {
  for (const node of nodes.filter(({ host }) => host.isOn)) {
    await until(`${node.host.name} sees ${expected} healthy nodes`, async () => {
      const rows = await node.status();
      return rows.filter((row) => row.isAvailable && row.isLive).length === expected;
    });
  }
}
