/** What a server has beside its data, once it is to serve: standbys, an archive of its WAL, a backup, room for its clients. */
import { z } from "zod";

/** Who takes this server's WAL as a whole. Logical consumers and base backups on their way are not among them. */
export const walReceiverSchema = z.object({
  /** As it calls itself: `application_name`. */
  name: z.string(),
  /** startup, catchup, streaming, stopping. */
  state: z.string(),
  /** It tells what it has replayed: a standby does, a receiver of WAL for a backup does not. */
  isReplaying: z.boolean(),
  /** WAL that is not on its disk yet; null until it has told. */
  lagBytes: z.number().nullable(),
});
export type PgWalReceiver = z.infer<typeof walReceiverSchema>;

export const archiverSchema = z.object({
  isOn: z.boolean(),
  /** By the server's own clock, since a file was archived last; null: none since its statistics began. */
  archivedAgoS: z.number().nullable(),
  /** Its last try has failed. */
  isFailing: z.boolean(),
  /** The file that failed last; null: none has. */
  failedFile: z.string().nullable(),
});
export type PgArchiver = z.infer<typeof archiverSchema>;

export const readinessSchema = z.object({
  receivers: z.array(walReceiverSchema),
  archiver: archiverSchema,
  maxConnections: z.number(),
});
export type PgReadiness = z.infer<typeof readinessSchema>;

/** What the operator's own command says of a backup. */
export const backupSchema = z.object({
  /** 0: there is a fresh one. */
  exitCode: z.number(),
  /** The last line that it wrote, cut short. */
  lastLine: z.string(),
});
export type PgBackup = z.infer<typeof backupSchema>;
