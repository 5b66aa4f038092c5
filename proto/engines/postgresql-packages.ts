/** What an agent says of the packages that its own file lets it install: as they stand, and what its package manager would do. */
import { z } from "zod";

const addedSchema = z.object({
  /** As the package manager names it. */
  name: z.string(),
  version: z.string(),
  architecture: z.string(),
  /** Where it comes from, as the package manager tells it. */
  origin: z.string(),
  /** By the agent's file; else it comes along. */
  isNamed: z.boolean(),
});
export type PgAddedPackage = z.infer<typeof addedSchema>;

export const packagesSchema = z.object({
  /** Of the agent's file, and there already: `name version`. */
  installed: z.array(z.string()),
  /** Of the agent's file, as it names them: the host's package lists do not have them. */
  notFound: z.array(z.string()),
  /** All that would be new, what comes along too. */
  adds: z.array(addedSchema),
  /** Installed already, and would become of another version: `name from to`. */
  changes: z.array(z.string()),
  removes: z.array(z.string()),
  /** Why the package of a server would make a cluster `main` of its own; null: it would not. */
  whyMainCluster: z.string().nullable(),
});
export type PgPackages = z.infer<typeof packagesSchema>;
