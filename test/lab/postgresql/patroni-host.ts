// Real hosts of one Patroni cluster with Debian's own packages: PostgreSQL 15 on each member, and one etcd for them on
// a host of its own. Patroni starts and stops the servers; a member is asked through psql as any other server.
import { randomBytes } from "node:crypto";
import { type Host, type Lab, until } from "../harness/index.ts";
import { dropPackaged, type Major, PgHost, pgRoot, port } from "./pg-host.ts";

export const scope = "orders";
// told by name: which of its stores Patroni can speak with is a recommendation elsewhere
const packages = ["etcd-server", "patroni", "python3-etcd"];
const config = "/etc/patroni/config.yml";
const dataFolder = "/var/lib/postgresql/patroni";
const slowMs = 90_000;

export interface PatroniSpec {
  /** Of PostgreSQL, and with it the release of Debian that Patroni comes from; 15 unless told. */
  readonly major?: Major;
  /** Of its dynamic configuration from the beginning, as YAML flow: `wal_level: replica`. */
  readonly parameters?: readonly string[];
}

interface Place {
  readonly lab: Lab;
  readonly major: Major;
  readonly etcd: Host;
  readonly passwords: Readonly<Record<"superuser" | "replication" | "rewind", string>>;
}

export interface ListedMember {
  readonly Member: string;
  readonly Role: string;
  readonly State: string;
  readonly TL: number;
}

export class PatroniHost extends PgHost {
  constructor(host: Host, major: Major) {
    super(host, major, "patroni");
  }

  override get hbaFile(): string {
    return `${dataFolder}/pg_hba.conf`;
  }

  protected override get moreSettings(): readonly string[] {
    return [`patroni: { config: ${config} }`];
  }

  override async log(): Promise<string> {
    const words = await this.host.journal({ unit: "patroni" });
    return words.map(({ message }) => message).join("\n");
  }

  async patronictl(...words: readonly string[]): Promise<string> {
    return this.host.must(["patronictl", "-c", config, ...words], {
      env: { LC_ALL: "C.UTF-8" },
      timeoutMs: slowMs,
    });
  }

  async members(): Promise<readonly ListedMember[]> {
    return JSON.parse(await this.patronictl("list", "-f", "json")) as ListedMember[];
  }

  /** The dynamic configuration as Patroni shows it. */
  configuration(): Promise<string> {
    return this.patronictl("show-config");
  }

  async leads(): Promise<boolean> {
    const members = await this.members();
    return members.some(({ Member, Role }) => Member === this.host.name && Role === "Leader");
  }
}

/** The leader first, then its replicas, which stream; and one host with etcd beside them. */
export async function startPatroniCluster(
  lab: Lab,
  { major = 15, ...spec }: PatroniSpec = {},
): Promise<readonly PatroniHost[]> {
  const etcd = await startEtcd(lab, major);
  const password = () => randomBytes(12).toString("hex");
  const place = {
    lab,
    major,
    etcd,
    passwords: { superuser: password(), replication: password(), rewind: password() },
  };
  const leader = await startMember(place, { name: "pg-old", number: 11, ...spec });
  const replica = await startMember(place, { name: "pg-old2", number: 12, ...spec });
  await until(
    "the replica streams",
    async () => {
      const members = await leader.members();
      return (
        members.length === 2 && members.every(({ State }) => State === "running" || State === "streaming")
      );
    },
    slowMs,
  );
  return [leader, replica];
}

async function startEtcd(lab: Lab, major: Major): Promise<Host> {
  const host = await lab.host({
    name: "etcd",
    root: await pgRoot(major, packages),
    ip: lab.ip.replace(/\d+$/, "10"),
    prepare: (folder) => dropPackaged(folder, major),
  });
  const urls = `http://${host.ip}:2379`;
  await host.write(
    "/etc/default/etcd",
    `ETCD_LISTEN_CLIENT_URLS=${urls}\nETCD_ADVERTISE_CLIENT_URLS=${urls}\n`,
  );
  // it runs since the boot, with the words of its package
  await host.must(["systemctl", "restart", "etcd"], { timeoutMs: slowMs });
  return host;
}

async function startMember(
  place: Place,
  { name, number, ...spec }: PatroniSpec & { readonly name: string; readonly number: number },
): Promise<PatroniHost> {
  const { lab, major } = place;
  const host = await lab.host({
    name,
    root: await pgRoot(major, packages),
    ip: lab.ip.replace(/\d+$/, String(number)),
    prepare: (folder) => dropPackaged(folder, major),
  });
  await host.write(config, fileOf(host, place, spec), "0640");
  await host.must(["chown", "root:postgres", config]);
  await host.must(["systemctl", "disable", "--now", "--quiet", "etcd"]).catch(() => "");
  await host.must(["systemctl", "enable", "--now", "--quiet", "patroni"], { timeoutMs: slowMs });
  const member = new PatroniHost(host, major);
  await member.untilServes();
  return member;
}

const replicating = [
  "wal_level: logical",
  "max_replication_slots: 20",
  "max_wal_senders: 20",
  "max_worker_processes: 24",
  "max_logical_replication_workers: 12",
];

function fileOf(
  host: Host,
  { lab, major, etcd, passwords }: Place,
  { parameters = replicating }: PatroniSpec,
): string {
  const net = lab.ip.replace(/\d+$/, "0/24");
  const login = (username: string, password: string) => `{ username: ${username}, password: "${password}" }`;
  return `scope: ${scope}
name: ${host.name}
restapi: { listen: "${host.ip}:8008", connect_address: "${host.ip}:8008" }
etcd3: { host: "${etcd.ip}:2379" }
bootstrap:
  dcs:
    ttl: 20
    loop_wait: 2
    retry_timeout: 4
    postgresql:
      use_pg_rewind: true
      parameters: { ${parameters.join(", ")} }
  initdb: [ { encoding: UTF8 }, { locale: C.UTF-8 }, no-sync ]
postgresql:
  listen: "${host.ip}:${port}"
  connect_address: "${host.ip}:${port}"
  data_dir: ${dataFolder}
  bin_dir: /usr/lib/postgresql/${major}/bin
  pgpass: /var/lib/postgresql/patroni.pgpass
  use_unix_socket: true
  parameters: { unix_socket_directories: /var/run/postgresql }
  authentication:
    superuser: ${login("postgres", passwords.superuser)}
    replication: ${login("replicator", passwords.replication)}
    rewind: ${login("rewinder", passwords.rewind)}
  pg_hba:
    - local all postgres peer map=lockkeeper
    - local all all peer
    - host all all ${net} scram-sha-256
    - host replication replicator ${net} scram-sha-256
  pg_ident:
    - lockkeeper root postgres
    - lockkeeper postgres postgres
`;
}
