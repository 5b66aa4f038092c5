/** A server that is made by us: what its data folder is made with. */
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
