// The files of a lab server: ready for logical replication both ways, reached by password over the lab's network
// and by name of the operating system's user over the socket.

export interface ServerPlace {
  /** The host's address in the lab. */
  readonly ip: string;
  /** The lab's network, with its prefix length. */
  readonly net: string;
  readonly settings: readonly string[];
}

const replicating = [
  "wal_level = logical",
  "max_replication_slots = 20",
  "max_wal_senders = 20",
  "max_logical_replication_workers = 12",
  "max_worker_processes = 24",
  "fsync = on",
];

/** File below /etc/postgresql/MAJOR/main → its text. */
export function configurationOf({ ip, net, settings }: ServerPlace): Readonly<Record<string, string>> {
  return {
    "conf.d/lab.conf": lines(`listen_addresses = '${ip}'`, ...replicating, ...settings),
    "pg_hba.conf": lines(
      "local all postgres peer map=lockkeeper",
      "local all all peer",
      `host all all ${net} scram-sha-256`,
    ),
    // the agent is root and comes in as postgres
    "pg_ident.conf": lines("lockkeeper root postgres", "lockkeeper postgres postgres"),
  };
}

function lines(...each: readonly string[]): string {
  return `${each.join("\n")}\n`;
}
