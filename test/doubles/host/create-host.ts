/**
 * A demo host: a folder that holds what a KWDB host holds, with the vendor's files as its installer leaves
 * them, and stand-ins of systemctl, dpkg, sudo and journalctl to be put first on PATH. No root needed.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, cp, mkdir, readdir, readFile, rename, symlink, writeFile } from "node:fs/promises";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import path from "node:path";
import { promisify } from "node:util";
import type { BuiltPackage } from "../kwdb/build-package.ts";
import { makeNodeCerts } from "../kwdb/make-certs.ts";

const run = promisify(execFile);

export type Topology = "single" | "single-replication" | "multi-replication";

export interface Ports {
  readonly sql: number;
  readonly http: number;
  readonly brpc: number;
}

export interface HostOptions {
  readonly name: string;
  readonly ip: string;
  readonly ports: Ports;
  readonly topology: Topology;
  /** The package whose version is installed; its `.version` is copied. */
  readonly installed: BuiltPackage;
  /** Address (ip:port) the node joins; the installer writes the first node's. */
  readonly join: string;
  /** Addresses of the other hosts, for the NODE file. */
  readonly others?: readonly string[];
  /** Management user: MODE's line 7. The vendor's default is kaiwudb. */
  readonly user?: string;
  /** How long a second of the real database lasts: 0.05 makes the death of a node noticed in 0.45 s. */
  readonly tickScale?: number;
  /** Bind the loopback and the advertised address instead of 0.0.0.0. */
  readonly loopbackOnly?: boolean;
  /** A folder of `makeAuthority`: the cluster is secure. Its nodes' own certificates are made with it. */
  readonly authority?: string;
}

const certs = "/etc/kaiwudb/certs";

function securityWord({ authority }: Pick<HostOptions, "authority">): string {
  return authority === undefined ? "--insecure" : `--certs-dir=${certs}`;
}

const startCommand = {
  single: "start-single-node",
  "single-replication": "start-single-replica",
  "multi-replication": "start",
} as const;

const unitText = (options: HostOptions, version: string): string => {
  const { ip, ports, topology, join, user = "kaiwudb" } = options;
  const brpc = version.startsWith("2.") ? "" : `--brpc-addr=0.0.0.0:${ports.brpc} `;
  const joining = topology === "single" ? "" : `--join ${join}`;
  return `
[Unit]
Description=KaiwuDB Service
After=network.target
Wants=network.target
[Service]
User=${user}
Group=${user}
Type=simple
LimitMEMLOCK=infinity
LimitNOFILE=1048576

WorkingDirectory=/usr/local/kaiwudb/bin
EnvironmentFile=/etc/kaiwudb/script/kaiwudb_env
ExecStartPre=/usr/bin/sudo /usr/sbin/sysctl -w vm.max_map_count=10000000
ExecStart=/usr/local/kaiwudb/bin/kwbase ${startCommand[topology]} $KAIWUDB_START_ARG ${securityWord(options)} --listen-addr=0.0.0.0:${ports.sql} --advertise-addr=${ip}:${ports.sql} --http-addr=0.0.0.0:${ports.http} ${brpc}--store=/var/lib/kaiwudb  ${joining}
ExecStop=/bin/kill $MAINPID
KillMode=control-group
# Restart=on-failure
# ExecStopPost=sudo umount -a -t squashfs
#RuntimeMaxSec=2592000
# Don't restart in the case of configuration error
RestartPreventExitStatus=INVALIDARGUMENT
[Install]
WantedBy=multi-user.target
`;
};

const hasKwStatus = (version: string): boolean => /^3\.([1-9]|\d\d)/.test(version);

/** The files that the vendor's installer writes, by path on the host: for a demo host and for a real one. */
export function installedFiles(options: HostOptions, versionFile: string): Readonly<Record<string, string>> {
  const [version = ""] = versionFile.split("\n");
  const { topology, ports, ip, user = "kaiwudb" } = options;
  const mode = [
    "bare",
    topology,
    "/usr/local/kaiwudb",
    "/var/lib/kaiwudb",
    ports.sql,
    ports.http,
    user,
    options.authority === undefined ? "insecure" : "tls",
    "false",
    ip,
  ];
  const status = `\n#! /bin/bash\ncd $(kwdb-host-root 2>/dev/null)/usr/local/kaiwudb/bin\nsudo -u ${user} bash -c "./kwbase node status ${securityWord(options)} --host=127.0.0.1:${ports.sql}"\n`;
  return {
    "/etc/systemd/system/kaiwudb.service": unitText(options, version),
    "/etc/kaiwudb/info/MODE": `${mode.join("\n")}\n`,
    "/etc/kaiwudb/info/.version": versionFile,
    "/etc/kaiwudb/script/kaiwudb_env": 'KAIWUDB_START_ARG=""\n',
    ...(topology === "single"
      ? {}
      : { "/etc/kaiwudb/info/NODE": `${(options.others ?? []).join(" ")}\n22\nroot\n` }),
    ...(hasKwStatus(version) ? { "/usr/local/kaiwudb/bin/kw-status.sh": status } : {}),
    "/etc/kwdb-double/host": `tick_scale=${options.tickScale ?? 1}\nloopback_only=${options.loopbackOnly === true ? "yes" : "no"}\n`,
    "/etc/kwdb-double/faults": "",
  };
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class DemoHost {
  readonly root: string;
  readonly options: HostOptions;

  constructor(root: string, options: HostOptions) {
    this.root = root;
    this.options = options;
  }

  /** What every process on this host must have in its environment. */
  get env(): Readonly<Record<string, string>> {
    return {
      PATH: `${path.join(this.root, "host-bin")}:${process.env["PATH"] ?? ""}`,
      KWDB_HOST_ROOT: this.root,
      KWBASE_DOUBLE_TICK_SCALE: String(this.options.tickScale ?? 1),
    };
  }

  path(hostPath: string): string {
    return path.join(this.root, hostPath);
  }

  async run(command: string, args: readonly string[], deadlineMs = 30_000): Promise<Ran> {
    const options = {
      env: { ...process.env, ...this.env },
      timeout: deadlineMs,
      maxBuffer: 16 * 1024 * 1024,
    };
    return run(command, [...args], options).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      (error: { code?: number | string; stdout?: string; stderr?: string }) => ({
        code: typeof error.code === "number" ? error.code : -1,
        stdout: error.stdout ?? "",
        stderr: error.stderr ?? String(error),
      }),
    );
  }

  kwbase(...args: readonly string[]): Promise<Ran> {
    return this.run(this.path("/usr/local/kaiwudb/bin/kwbase"), [
      ...args,
      this.options.authority === undefined ? "--insecure" : `--certs-dir=${this.path(certs)}`,
      `--host=127.0.0.1:${this.options.ports.sql}`,
    ]);
  }

  /** Sets the host's faults in place of those before; an empty value is none. */
  async faults(values: Readonly<Record<string, string>>): Promise<void> {
    const lines = Object.entries(values).flatMap(([name, value]) =>
      value === "" ? [] : [`${name}=${value}\n`],
    );
    const file = this.path("/etc/kwdb-double/faults");
    await writeFile(`${file}.new`, lines.join(""));
    await rename(`${file}.new`, file);
  }

  async start(): Promise<void> {
    await this.run("systemctl", ["start", "kaiwudb"]);
  }

  /** Kills the process group of the node, where it runs. */
  async end(): Promise<void> {
    const pid = await this.mainPid();
    if (pid === 0) return;
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // It ended by itself between the two lines.
    }
  }

  /** Main process of the service; 0 when there is none. */
  async mainPid(): Promise<number> {
    if (!existsSync(this.path("/run/systemd/kaiwudb.pid"))) return 0;
    const { stdout } = await this.run("systemctl", ["show", "--property", "MainPID", "--value", "kaiwudb"]);
    return Number(stdout.trim());
  }

  /** HTTP status of the readiness page; 0 when nothing answers. */
  async readyStatus(): Promise<number> {
    const place = {
      host: "127.0.0.1",
      port: this.options.ports.http,
      path: "/health?ready=1",
      timeout: 2000,
    };
    return new Promise((resolve) => {
      const get = this.options.authority === undefined ? http.get : https.get;
      const asked = get({ ...place, agent: false, rejectUnauthorized: false }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      asked.on("timeout", () => asked.destroy());
      asked.on("error", () => resolve(0));
    });
  }
}

/** Makes the host with KWDB installed as its installer would have; nothing is started. */
export async function createHost(root: string, assets: string, options: HostOptions): Promise<DemoHost> {
  const host = new DemoHost(root, options);
  await mkdir(root, { recursive: true });
  await cp(path.join(assets, "host-bin"), host.path("/host-bin"), { recursive: true });
  await writeFile(host.path("/package.json"), "{}\n");
  for (const folder of ["/etc/kaiwudb/certs", "/var/lib/kaiwudb", "/usr/bin", "/usr/lib", "/tmp"])
    await mkdir(host.path(folder), { recursive: true });
  if (options.authority !== undefined) await makeNodeCerts(options.authority, host.path(certs), [options.ip]);
  const packages = path.join(options.installed.folder, "packages");
  const versionFile = await readFile(path.join(packages, ".version"), "utf8");
  for (const [name, content] of Object.entries(installedFiles(options, versionFile))) {
    await mkdir(path.dirname(host.path(name)), { recursive: true });
    await writeFile(host.path(name), content);
  }
  const debs = (await readdir(packages)).filter((name) => name.endsWith(".deb")).toSorted();
  const installed = await host.run("dpkg", ["-i", ...debs.map((name) => path.join(packages, name))]);
  if (installed.code !== 0) throw new Error(`the demo host's dpkg failed: ${installed.stderr}`);
  if (hasKwStatus(versionFile)) {
    await chmod(host.path("/usr/local/kaiwudb/bin/kw-status.sh"), 0o755);
    await symlink("../local/kaiwudb/bin/kw-status.sh", host.path("/usr/bin/kw-status"));
  }
  await host.run("systemctl", ["daemon-reload"]);
  return host;
}

/** Ports that nobody listens on at this moment. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<net.Server>((resolve, reject) => {
          const server = net
            .createServer()
            .once("error", reject)
            .listen(0, "127.0.0.1", () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as net.AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
