// Real hosts on which KWDB was compiled from source: a folder with bin and lib, started by a unit of the operator's own
// or by hand.
import { buildAssets } from "#test/doubles/kwdb/build-assets.ts";
import { type BuiltProgram, buildProgram, type ProgramRequest } from "#test/doubles/kwdb/build-program.ts";
import { debianRoot, type Host, type Lab, until } from "../harness/index.ts";
import type { KwdbCluster, KwdbClusterSpec } from "./cluster.ts";
import { CompiledNode, folder } from "./compiled-node.ts";
import { PORTS } from "./node.ts";

export const unit = "my-kwdb";
/** Must come back with the process, and be told nowhere. */
export const secret = "do-not-tell";

type Spoil = Pick<ProgramRequest, "spoil" | "manifest">;

export interface CompiledCluster extends KwdbCluster {
  readonly nodes: readonly CompiledNode[];
  /** What is wrong with the builds that are made from now on. */
  spoil: Spoil;
}

const startWords = {
  single: "start-single-node",
  "single-replication": "start-single-replica",
  "multi-replication": "start",
};

const environment = {
  LD_LIBRARY_PATH: `${folder}/lib`,
  KWDB_HOST_ROOT: "/",
  PATH: "/usr/bin:/bin",
  SECRET: `${secret}-x`,
};

/** `by`: what starts each node. */
export function startCompiledCluster(by: "unit" | "hand") {
  return async (lab: Lab, spec: KwdbClusterSpec): Promise<CompiledCluster> => {
    const assets = await buildAssets(lab.file("kwdb-assets"));
    const cluster = { spoil: {} as Spoil };
    let builds = 0;
    const packageOf = (version: string): Promise<BuiltProgram> => {
      builds += 1;
      return buildProgram({ assets, version, out: lab.file(`build-${version}-${builds}`), ...cluster.spoil });
    };
    const [built, root] = await Promise.all([packageOf(spec.version), debianRoot({ suite: "bookworm" })]);
    const names = spec.names ?? ["db1", "db2", "db3"];
    const addresses = names.map((_, at) => lab.ip.replace(/\d+$/, String(11 + at)));
    const nodes = await Promise.all(
      names.map(async (name, at) => {
        const ip = addresses[at] ?? "";
        const host = await lab.host({ name, root, ip });
        await install(host, built, spec);
        await prepareStart(host, by, wordsOf(spec, ip, addresses[0] ?? ""));
        return new CompiledNode(host);
      }),
    );
    for (const [at, node] of nodes.entries())
      await startOne(node, by, at === 0 && spec.topology !== "single");
    const untilHealthy = async (expected = nodes.length): Promise<void> => {
      for (const node of nodes)
        await until(`${node.host.name} sees ${expected} healthy nodes`, async () => {
          const rows = await node.status();
          return rows.filter((row) => row.isAvailable && row.isLive).length === expected;
        });
    };
    await untilHealthy();
    return Object.assign(cluster, { nodes, packageOf, untilHealthy });
  };
}

async function install(host: Host, built: BuiltProgram, { tickScale = 0.1 }: KwdbClusterSpec): Promise<void> {
  await host.must(["useradd", "--system", "--user-group", "kwdb"]);
  await host.copyIn(built.folder, folder);
  const owned = ["/srv/kwdb", "/etc/kwdb-double"];
  await host.must(["mkdir", "-p", ...owned]);
  await host.write("/etc/kwdb-double/host", `tick_scale=${tickScale}\n`);
  await host.must(["chown", "-R", "kwdb:kwdb", folder, ...owned]);
}

function wordsOf(
  { topology = "multi-replication", version }: KwdbClusterSpec,
  ip: string,
  first: string,
): readonly string[] {
  return [
    startWords[topology],
    "--insecure",
    `--listen-addr=0.0.0.0:${PORTS.sql}`,
    `--advertise-addr=${ip}:${PORTS.sql}`,
    `--http-addr=0.0.0.0:${PORTS.http}`,
    ...(version.startsWith("2.") ? [] : [`--brpc-addr=0.0.0.0:${PORTS.brpc}`]),
    "--store=/srv/kwdb",
    ...(topology === "single" ? [] : [`--join=${first}:${PORTS.sql}`]),
  ];
}

/** By hand: as an operator does it over ssh. */
async function prepareStart(host: Host, by: "unit" | "hand", words: readonly string[]): Promise<void> {
  const variables = Object.entries(environment);
  const script = `#!/bin/sh
cd ${folder}/bin
umask 027
exec setsid --fork nohup env -i ${variables.map(([name, value]) => `'${name}=${value}'`).join(" ")} \\
  prlimit --nofile=4000:5000 setpriv --reuid kwdb --regid kwdb --init-groups ./kwbase ${words.join(" ")} \\
  >>/var/log/kwdb.out 2>&1 </dev/null
`;
  const lines = [
    "[Service]",
    "User=kwdb",
    `WorkingDirectory=${folder}/bin`,
    "LimitNOFILE=4000:5000",
    ...variables.map(([name, value]) => `Environment=${name}=${value}`),
    `ExecStart=${folder}/bin/kwbase ${words.join(" ")}`,
  ];
  if (by === "hand") return host.write("/root/start-kwdb", script, "0755");
  await host.write(`/etc/systemd/system/${unit}.service`, `${lines.join("\n")}\n`);
  await host.must(["systemctl", "daemon-reload"]);
}

async function startOne(node: CompiledNode, by: "unit" | "hand", isFirst: boolean): Promise<void> {
  await node.host.must(by === "hand" ? ["/root/start-kwdb"] : ["systemctl", "start", unit]);
  if (isFirst) {
    await until("the first node listens", async () => (await node.readyStatus()) !== 0);
    const init = await node.kwbase("init");
    if (init.code !== 0) throw new Error(`kwbase init: ${init.stderr}`);
  }
  await until(`${node.host.name} is ready`, async () => (await node.readyStatus()) === 200);
}
