/** A server that is made by us: what its data folder is made with, and where on its host it may be made. */
import { z } from "zod";

/** What `initdb` decides and nothing changes afterwards. */
export const birthSchema = z.object({
  /** The role that `initdb` made; pg_upgrade wants the same on both sides. */
  owner: z.string(),
  encoding: z.string(),
  collate: z.string(),
  ctype: z.string(),
  provider: z.enum(["libc", "icu", "builtin"]),
  /** Of icu and builtin. */
  locale: z.string().nullable(),
  icuRules: z.string().nullable(),
  hasChecksums: z.boolean(),
  walSegmentBytes: z.number(),
  /** Its group may read the folder. */
  isGroupReadable: z.boolean(),
});
export type PgBirth = z.infer<typeof birthSchema>;

/** What stands on the host, by the folders, the unit and the programs that the agent's own file names for a new server. */
export const madeSchema = z.object({
  /** Its programs are not there: they come with packages that the agent's file names. What hangs on them is not known yet. */
  isToCome: z.boolean().default(false),
  /** Of the programs on disk: 18.1. */
  version: z.string(),
  major: z.number(),
  data: z.string(),
  /** Folder of `postgresql.conf`; the data folder itself where the two are one. */
  config: z.string(),
  /** `load` and `active` as systemd has them. */
  unit: z.object({ name: z.string(), load: z.string(), active: z.string() }),
  /** Why the agent could not get in over the folder of sockets that its file names; null: it could. */
  whyNoSocket: z.string().nullable(),
  port: z.number(),
  /** By what the port is seen to be in use; null: it is free. */
  portTakenBy: z.string().nullable(),
  /** `listen_addresses` of the new server; null: as on the old one. */
  listen: z.string().nullable(),
  /** Folders of new tablespaces by name. */
  tablespaces: z.record(z.string(), z.string()),
  /** Folders with something in them. */
  taken: z.array(z.string()),
  /** Where the new data goes. */
  availableBytes: z.number(),
  /** As `locale -a` lists them. */
  locales: z.array(z.string()),
  /** Extensions and libraries that the programs have, by name. */
  extensions: z.array(z.string()),
  libraries: z.array(z.string()),
});
export type PgMade = z.infer<typeof madeSchema>;
