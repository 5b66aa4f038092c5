import { z } from "zod";
import { encryptionSettings } from "./encryption.ts";
import { inPlaceSettings } from "./in-place/settings.ts";
import { madeSettings } from "./made/settings.ts";
import { packagesSettings } from "./packages/settings.ts";

const path = z.string().startsWith("/", "must be an absolute path");
const argv = z.array(z.string().max(4_096)).min(1);

/** The engine's section of the agent's file: the one server that this agent serves. No message can widen it. */
export const postgresqlSettings = z.strictObject({
  /** Folder of the server's socket, or a loopback address. */
  host: z.string().default("/var/run/postgresql"),
  port: z.number().int().min(1).max(65_535).default(5432),
  /** A superuser of the database. */
  user: z.string().default("postgres"),
  /** Its password, where the server asks for one: a file of the agent's own account, 0600. */
  passwordFile: path.optional(),
  /** The database that is connected to for what belongs to none. */
  maintenanceDatabase: z.string().default("postgres"),
  /** Folder of `psql`, `pg_dump`, `pg_dumpall`, `pg_restore`; best those of the newest version. */
  tools: path,
  /** Where the server can read the password of its replication connection: a folder of the server's own account. */
  passfileFolder: path.default("/var/lib/postgresql"),
  ...encryptionSettings,
  /** The server's log, where it does not write one with its own logging collector. */
  log: path.optional(),
  /** The server's systemd unit, where this agent may restart it. */
  unit: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9:_.@-]*$/, "must be the name of a unit")
    .optional(),
  /** The server's data folder, where this agent may empty it once a move is over and a person says so. */
  data: path.optional(),
  /** The Patroni that manages the server, where there is one. */
  patroni: z
    .strictObject({
      /** Its own file on this host. */
      config: path,
      patronictl: path.default("/usr/bin/patronictl"),
      /** Its name of this host, where its file does not tell it. */
      member: z.string().min(1).optional(),
    })
    .optional(),
  /** Commands of the operator's own, by name: no message can bring another. */
  hooks: z
    .strictObject({
      pausePooler: argv.optional(),
      resumePooler: argv.optional(),
      /** Sends the clients to the other cluster, and back again. */
      switchTraffic: argv.optional(),
      switchTrafficBack: argv.optional(),
      /** Ends with 0 where there is a fresh backup of this server; changes nothing, and is asked again and again. */
      proveBackup: argv.optional(),
    })
    .prefault({}),
  /** Both versions on this host, for `pg_upgrade`; absent: this server is never upgraded in place. */
  inPlace: inPlaceSettings.optional(),
  /** A server that may be made on this host; absent: this agent makes none. */
  made: madeSettings.optional(),
  /** Packages that may be installed on this host for a move; absent: none is. */
  packages: packagesSettings.optional(),
});

export type PostgresqlSettings = z.infer<typeof postgresqlSettings>;

export interface Means {
  readonly settings: PostgresqlSettings;
}
