/** The old server's configuration on its way to the new host. */
import { z } from "zod";

export const parcelName = "configuration";

/** Of Debian's own programs, beside the configuration. */
export const ofDebian: readonly string[] = ["environment", "pg_ctl.conf", "start.conf"];

export const parcel = z.object({
  data: z.string(),
  config: z.string(),
  /** Of systemd, where the agent's file names it; and whether it is started at boot. */
  unit: z.string().nullable(),
  isEnabled: z.boolean().nullable(),
  /** By their path within the folder of the configuration. */
  files: z.array(z.object({ name: z.string(), text: z.string() })),
  /** postgresql.auto.conf of the data folder. */
  auto: z.string(),
  /** Files that encryption needs, where it is on: they are not carried. */
  certificates: z.array(z.string()),
  /** Files that the configuration takes in from elsewhere. */
  elsewhere: z.array(z.string()),
});
export type Parcel = z.infer<typeof parcel>;
