/** How KWDB got onto the hosts of a fleet, and what its agents and its inventory say of that. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createHosts } from "#test/doubles/host/cluster.ts";
import { createHost, type DemoHost, type Topology } from "#test/doubles/host/create-host.ts";
import { type BuiltPackage, buildPackage } from "#test/doubles/kwdb/build-package.ts";
import { buildProgram } from "#test/doubles/kwdb/build-program.ts";
import { createCompiledHost, programFolder } from "./compiled-host.ts";

export const fromVersion = "3.0.0";
export const toVersion = "3.1.0";
const names = ["db1", "db2", "db3"] as const;
const archiveDir = "/srv/archives";

export interface Site {
  /** Multi-replication unless told. */
  readonly topology?: Topology;
  /** By script unless told. */
  readonly deployment?: "script" | "compiled";
  /** Each node's data goes into an archive on the way. */
  readonly archives?: boolean;
}

const declared: Readonly<Record<Topology, string>> = {
  single: "standalone",
  "single-replication": "single-replica",
  "multi-replication": "multi-replica",
};

export interface Made {
  readonly hosts: readonly DemoHost[];
  readonly packages: { readonly old: BuiltPackage; readonly next: BuiltPackage };
}

/** Three hosts at the old version, not started yet, and both packages. */
export async function makeSite(site: Site, folder: string, assets: string): Promise<Made> {
  const { topology = "multi-replication", deployment = "script" } = site;
  const build = deployment === "compiled" ? buildProgram : buildPackage;
  const packageOf = (version: string) => build({ assets, version, out: join(folder, `package-${version}`) });
  const [old, next] = await Promise.all([packageOf(fromVersion), packageOf(toVersion)]);
  const root = join(folder, "hosts");
  const create = deployment === "compiled" ? createCompiledHost : createHost;
  const hosts = await createHosts({
    ...{ assets, installed: old, root, names, topology, create },
    tickScale: 0.05,
  });
  if (site.archives === true)
    await Promise.all(hosts.map((host) => mkdir(host.path(archiveDir), { recursive: true })));
  return { hosts, packages: { old, next } };
}

/** Of the engine, in an agent's file. */
export function agentSettings({ deployment, archives }: Site): Readonly<Record<string, unknown>> {
  return {
    ...(deployment === "compiled" ? { program: { folder: programFolder } } : {}),
    ...(archives === true ? { archiveDir } : {}),
  };
}

/** The cluster's entry in the inventory, without its nodes. */
export function clusterEntry({ topology = "multi-replication", deployment, archives }: Site) {
  return {
    engine: "kwdb",
    topology: declared[topology],
    ...(deployment === undefined ? {} : { deployment }),
    gates: { every: "250ms", dwell: "1s", limit: "2m" },
    ...(archives === true ? { settings: { "archive-data": "true" } } : {}),
  };
}
