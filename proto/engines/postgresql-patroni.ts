/** What an agent says of the Patroni that manages its server: `patronictl list`, `show-config` and its own file. Shapes only. */
import { z } from "zod";

export const patroniMemberSchema = z.object({
  name: z.string(),
  /** As the cluster's members reach it, with its port where patronictl prints one. */
  host: z.string(),
  /** leader, standby leader, replica, sync standby. */
  role: z.string(),
  /** running, streaming, stopped … */
  state: z.string(),
  timeline: z.number().nullable(),
  isPendingRestart: z.boolean(),
});
export type PatroniMember = z.infer<typeof patroniMemberSchema>;

export const patroniSchema = z.object({
  /** Of patronictl: 3.0.2. */
  version: z.string(),
  scope: z.string(),
  /** The member that is this host. */
  member: z.string(),
  members: z.array(patroniMemberSchema),
  isPaused: z.boolean(),
  /** The whole cluster follows another one. */
  isStandbyCluster: z.boolean(),
  /** It makes slots for its members, and keeps those that it is told to. */
  usesSlots: z.boolean(),
  /** It writes pg_hba.conf itself, each time it starts the server. */
  ownsHba: z.boolean(),
  /** Of its dynamic configuration, postgresql.parameters. */
  parameters: z.record(z.string(), z.string()),
});
export type Patroni = z.infer<typeof patroniSchema>;
