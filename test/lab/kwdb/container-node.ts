// KWDB in a container of a real Docker engine: the node as an operator would ask it, and what deploy.sh's installer
// writes for it.
import type { Topology } from "#test/doubles/host/create-host.ts";
import type { Host, RunResult } from "../harness/index.ts";
import { KwdbNode, PORTS } from "./node.ts";

export const dataRoot = "/var/lib/kaiwudb";

export class ContainerNode extends KwdbNode {
  readonly container: string;
  readonly security: readonly string[];

  constructor(host: Host, container: string, security: readonly string[] = ["--insecure"]) {
    super(host);
    this.container = container;
    this.security = security;
  }

  override kwbase(...words: readonly string[]): Promise<RunResult> {
    const client = ["docker", "exec", "-i", this.container, "/kaiwudb/bin/kwbase", ...words];
    return this.host.exec([...client, ...this.security, "--host=127.0.0.1:26257"]);
  }

  /** Process 1 of the container as the host has it; 0 when it does not run. */
  override async mainPid(): Promise<number> {
    const shown = await this.inspect("{{.State.Pid}}");
    return Number(shown || "0");
  }

  /** What `docker inspect` says by a template; empty when there is no such container. */
  async inspect(template: string, name = this.container): Promise<string> {
    const shown = await this.host.exec(["docker", "container", "inspect", "--format", template, name]);
    return shown.code === 0 ? shown.stdout.trim() : "";
  }

  /** What its operator gave, as the engine has it. */
  async given() {
    const json = async (template: string) =>
      JSON.parse(await this.inspect(`{{json ${template}}}`)) as unknown;
    const mounts = (await json(".Mounts")) as readonly {
      readonly Source: string;
      readonly Destination: string;
    }[];
    return {
      volumes: mounts.map(({ Source, Destination }) => `${Source} ${Destination}`).sort(),
      ports: await json(".HostConfig.PortBindings"),
      restart: await json(".HostConfig.RestartPolicy"),
      ulimits: await json(".HostConfig.Ulimits"),
      ipc: await json(".HostConfig.IpcMode"),
      privileged: await json(".HostConfig.Privileged"),
      env: await json(".Config.Env"),
      owner: await json('(index .Config.Labels "owner")'),
      command: await json(".Config.Cmd"),
    };
  }

  async names(): Promise<readonly string[]> {
    const listed = await this.host.must(["docker", "ps", "--all", "--format", "{{.Names}}"]);
    return listed.split("\n").filter((name) => name !== "");
  }

  async imageTags(): Promise<readonly string[]> {
    const listed = await this.host.must(["docker", "images", "--format", "{{.Repository}}:{{.Tag}}"]);
    return listed.split("\n").filter((tag) => tag !== "" && !tag.includes("<none>"));
  }
}

export interface ServiceSpec {
  readonly ip: string;
  readonly topology: Topology;
  readonly image: string;
  readonly version: string;
  readonly join: string;
  readonly others: readonly string[];
}

const orders = {
  single: "start-single-node",
  "single-replication": "start-single-replica",
  "multi-replication": "start",
} as const;

/** Files of `deploy.sh install` with a container package, by path. */
export function serviceFiles(spec: ServiceSpec): Readonly<Record<string, string>> {
  const { ip, topology, image, version, join, others } = spec;
  const mode = [
    "container",
    topology,
    image,
    dataRoot,
    PORTS.sql,
    PORTS.http,
    "root",
    "insecure",
    "false",
    ip,
  ];
  return {
    "/etc/systemd/system/kaiwudb.service": UNIT,
    "/etc/kaiwudb/info/MODE": `${mode.join("\n")}\n`,
    "/etc/kaiwudb/info/.version": `${version}\n`,
    "/etc/kaiwudb/script/kaiwudb_env": 'KAIWUDB_START_ARG=""\n',
    "/etc/kaiwudb/script/docker-compose.yml": composeText(spec),
    ...(topology === "single" ? {} : { "/etc/kaiwudb/info/NODE": `${others.join(" ")}\n22\nroot\n` }),
    "/etc/kwdb-double/faults": "",
    "/etc/kwdb-double/join": join,
  };
}

/** The vendor gives memlock -1, which the machine below this lab may not. */
function composeText({ ip, topology, image, version, join }: ServiceSpec): string {
  const brpc = version.startsWith("2.") ? "" : "--brpc-addr=0.0.0.0:27257 ";
  const joining = topology === "single" ? "" : `--join ${join}`;
  return `version: '3.3'
services:
  kaiwudb-container:
    image: ${image}
    container_name: kaiwudb-container
    hostname: kaiwudb-container
    ports:
      - ${PORTS.http}:8080
      - ${PORTS.sql}:26257
      - ${PORTS.brpc}:27257
    ulimits:
      memlock: 65536
    volumes:
      - /etc/kaiwudb/certs:/kaiwudb/certs
      - ${dataRoot}:/kaiwudb/deploy/kaiwudb-container
      - /dev:/dev
    networks:
      - default
    restart: on-failure
    ipc: shareable
    privileged: true
    working_dir: /kaiwudb/bin
    command:
      - /bin/bash
      - -c
      - |
        /kaiwudb/bin/kwbase ${orders[topology]} --insecure --listen-addr=0.0.0.0:26257 --advertise-addr=${ip}:${PORTS.sql} --http-addr=0.0.0.0:8080 ${brpc}--store=/kaiwudb/deploy/kaiwudb-container ${joining}
networks:
  default:
`;
}

const UNIT = `[Unit]
Description=KaiwuDB Service
After=docker.service
Requires=docker.service
[Service]
User=root
Type=simple
WorkingDirectory=/etc/kaiwudb/script
ExecStart=/usr/bin/docker-compose --compatibility up
ExecStop=/usr/bin/docker-compose stop
[Install]
WantedBy=multi-user.target
`;
