/** The old server's configuration on its way to the new host. */
import { z } from "zod";
import { isElsewhere } from "./taken-text.ts";

export const parcelName = "configuration";

/** Of Debian's own programs, beside the configuration. */
export const ofDebian: readonly string[] = ["environment", "pg_ctl.conf", "start.conf"];

/** A path within the folder of the configuration: whoever sends it names no other place. */
const within = z.string().refine((name) => name !== "" && !isElsewhere(name), "must lie within the folder");

export const parcel = z.object({
  data: z.string(),
  config: z.string(),
  /** Of systemd, where the agent's file names it; and whether it is started at boot. */
  unit: z.string().nullable(),
  isEnabled: z.boolean().nullable(),
  files: z.array(z.object({ name: within, text: z.string() })),
  /** postgresql.auto.conf of the data folder. */
  auto: z.string(),
  /** Files that encryption needs, where it is on: they are not carried. */
  certificates: z.array(z.string()),
  /** Files that the configuration takes in from elsewhere. */
  elsewhere: z.array(z.string()),
});
export type Parcel = z.infer<typeof parcel>;
