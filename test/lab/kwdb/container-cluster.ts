// Clusters of KWDB in containers on real hosts with a Docker engine each, at an old version.
import { join } from "node:path";
import type { Topology } from "#test/doubles/host/create-host.ts";
import { buildAssets } from "#test/doubles/kwdb/build-assets.ts";
import { type BuiltPackage, buildPackage } from "#test/doubles/kwdb/build-package.ts";
import { dockerHost, type Host, type Lab, until } from "../harness/index.ts";
import type { KwdbCluster, KwdbClusterSpec } from "./cluster.ts";
import { ContainerNode, serviceFiles } from "./container-node.ts";
import { PORTS } from "./node.ts";

export interface ContainerCluster extends KwdbCluster {
  readonly nodes: readonly ContainerNode[];
}

const START_LIMIT_MS = 30_000;
const TICK_SCALE = 0.1;

export const imageTag = (version: string) => `kwdb/kwdb:${version}`;

/** The package of a version, with a real image in it. */
export function packagesIn(lab: Lab, tickScale = TICK_SCALE): (version: string) => Promise<BuiltPackage> {
  const assets = buildAssets(lab.file("kwdb-assets"));
  return async (version) =>
    buildPackage({
      assets: await assets,
      version,
      kind: "container",
      image: { tag: imageTag(version), tickScale, shared: lab.file("images") },
      out: lab.file(`kwdb-${version}`),
    });
}

/** A host with the old image in its engine and the folders of a node. */
export async function hostWithImage(
  lab: Lab,
  { name, at, engineDiskMb }: { readonly name: string; readonly at: number; readonly engineDiskMb?: number },
  old: BuiltPackage,
): Promise<Host> {
  const host = await dockerHost(lab, { name, ip: lab.ip.replace(/\d+$/, String(11 + at)) });
  if (engineDiskMb !== undefined) await giveEngineDisk(host, engineDiskMb);
  await host.copyIn(join(old.folder, "packages/KaiwuDB.tar"), "/var/lib/docker/old.tar");
  await host.must(["docker", "load", "--input", "/var/lib/docker/old.tar"], { timeoutMs: 120_000 });
  await host.must(["rm", "/var/lib/docker/old.tar"]);
  await host.must(["mkdir", "-p", "/var/lib/kaiwudb", "/etc/kaiwudb/certs"]);
  await host.write("/etc/kwdb-double/faults", "", "0666");
  return host;
}

async function giveEngineDisk(host: Host, sizeMb: number): Promise<void> {
  await host.must(["systemctl", "stop", "docker.socket", "docker"]);
  await host.smallDisk("/var/lib/docker", sizeMb);
  await host.must(["systemctl", "start", "docker"], { timeoutMs: 60_000 });
}

/** As deploy.sh installs it: a unit around docker-compose. */
export async function startServiceCluster(lab: Lab, spec: KwdbClusterSpec): Promise<ContainerCluster> {
  const packageOf = packagesIn(lab, spec.tickScale);
  const old = await packageOf(spec.version);
  const { names = ["db1", "db2", "db3"], topology = "multi-replication" } = spec;
  const ips = names.map((_, at) => lab.ip.replace(/\d+$/, String(11 + at)));
  const nodes = await Promise.all(
    names.map(async (name, at) => {
      const host = await hostWithImage(lab, { name, at }, old);
      const ip = ips[at] ?? "";
      const files = serviceFiles({
        ip,
        topology,
        image: imageTag(spec.version),
        version: spec.version,
        join: `${ips[0] ?? ""}:${PORTS.sql}`,
        others: ips.filter((other) => other !== ip),
      });
      for (const [path, text] of Object.entries(files)) await host.write(path, text);
      await host.must(["systemctl", "daemon-reload"]);
      return new ContainerNode(host, "kaiwudb-container");
    }),
  );
  for (const node of nodes) await node.host.must(["systemctl", "start", "kaiwudb"]);
  await initialise(nodes, topology);
  const untilHealthy = (expected = nodes.length) => untilAllSee(nodes, expected);
  await untilHealthy();
  return { nodes, packageOf, untilHealthy };
}

async function initialise([first, ...others]: readonly ContainerNode[], topology: Topology): Promise<void> {
  if (first === undefined) return;
  await until("the first node listens", async () => (await first.readyStatus()) !== 0, START_LIMIT_MS).catch(
    async (error: unknown) => {
      throw new Error(`${String(error)}\n${await lastWords(first)}`);
    },
  );
  if (topology !== "single") {
    const init = await first.kwbase("init");
    if (init.code !== 0) throw new Error(`kwbase init: ${init.stderr}`);
  }
  for (const node of [first, ...others])
    await until(`${node.host.name} is ready`, async () => (await node.readyStatus()) === 200, START_LIMIT_MS);
}

/** The last words of the unit and of the container, for a start that fails. */
async function lastWords({ host, container }: ContainerNode): Promise<string> {
  const unit = await host.exec(["journalctl", "-u", "kaiwudb", "-n", "20", "--no-pager"]);
  const own = await host.exec(["docker", "logs", "--tail", "20", container]);
  return `${unit.stdout}\n${own.stdout}${own.stderr}`;
}

async function untilAllSee(nodes: readonly ContainerNode[], expected: number): Promise<void> {
  for (const node of nodes) {
    const sees = async () =>
      (await node.status()).filter((row) => row.isAvailable && row.isLive).length === expected;
    await until(`${node.host.name} sees ${expected} healthy nodes`, sees, START_LIMIT_MS);
  }
}

export const ownContainer = "kwdb";

/** By `docker run` as the vendor's pages have it, and with more of an operator's own than these. */
export function startByRun(secure: boolean) {
  return (lab: Lab, spec: KwdbClusterSpec): Promise<ContainerCluster> =>
    startAlone(lab, spec, {
      security: secure ? [`--certs-dir=${certs}`] : ["--insecure"],
      start: (host, image) => host.must(runWords(image, secure)),
    });
}

const certs = "/kaiwudb/certs";
/** So that a test can switch the stand-in's faults on. */
const faults = "/etc/kwdb-double:/etc/kwdb-double";

function serverWords(secure: boolean): readonly string[] {
  return [
    "start-single-node",
    secure ? `--certs-dir=${certs}` : "--insecure",
    "--listen-addr=0.0.0.0:26257",
    "--http-addr=0.0.0.0:8080",
    "--store=/kaiwudb/deploy/kwdb-container",
  ];
}

function runWords(image: string, secure: boolean): readonly string[] {
  return [
    ...["docker", "run", "--detach", "--privileged", "--name", ownContainer],
    // the vendor gives memlock -1, which the machine below this lab may not
    ...["--ulimit", "memlock=65536", "--ulimit", "nofile=4096:8192"],
    ...["--publish", "26257:26257", "--publish", "127.0.0.1:8080:8080"],
    ...["--volume", "/var/lib/kaiwudb:/kaiwudb/deploy/kwdb-container", "--volume", "/kaiwudb/own"],
    ...["--volume", faults],
    ...(secure ? ["--volume", `/etc/kaiwudb/certs:${certs}`] : []),
    ...["--ipc", "shareable", "--restart", "unless-stopped", "--workdir", "/kaiwudb/bin"],
    ...["--env", "SITE=north east", "--label", "owner=billing", image],
    ...["./kwbase", ...serverWords(secure)],
  ];
}

export const ownComposeFile = "/srv/kwdb/docker-compose.yml";

/** By a compose file of the operator's own. */
export function startByCompose(lab: Lab, spec: KwdbClusterSpec): Promise<ContainerCluster> {
  return startAlone(lab, spec, {
    security: ["--insecure"],
    async start(host, image) {
      await host.write(ownComposeFile, ownCompose(image));
      await host.must(["docker-compose", "-f", ownComposeFile, "up", "-d"], { timeoutMs: 60_000 });
    },
  });
}

function ownCompose(image: string): string {
  return `# ours
services:
  db:
    container_name: ${ownContainer}
    image: ${image} # the vendor's
    privileged: true
    restart: unless-stopped
    ports: ["26257:26257", "8080:8080"]
    volumes: ["/var/lib/kaiwudb:/kaiwudb/deploy/kwdb-container", "/kaiwudb/own", "${faults}"]
    working_dir: /kaiwudb/bin
    command: ./kwbase ${serverWords(false).join(" ")}
`;
}

interface Alone {
  readonly security: readonly string[];
  start(host: Host, image: string): Promise<unknown>;
}

async function startAlone(
  lab: Lab,
  { version, engineDiskMb }: KwdbClusterSpec,
  { security, start }: Alone,
): Promise<ContainerCluster> {
  const packageOf = packagesIn(lab);
  const place = { name: "db1", at: 0, ...(engineDiskMb === undefined ? {} : { engineDiskMb }) };
  const host = await hostWithImage(lab, place, await packageOf(version));
  await host.must(["sh", "-ec", CERTIFICATE]);
  await start(host, imageTag(version));
  const nodes = [new ContainerNode(host, ownContainer, security)];
  await initialise(nodes, "single");
  const untilHealthy = (expected = 1) => untilAllSee(nodes, expected);
  await untilHealthy();
  return { nodes, packageOf, untilHealthy };
}

const CERTIFICATE = `cd /etc/kaiwudb/certs
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=node -keyout node.key -out node.crt 2>/dev/null`;
