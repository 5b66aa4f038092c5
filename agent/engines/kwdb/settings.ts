import { z } from "zod";

const unitName = z.string().regex(/^[A-Za-z0-9_.@-]+$/);
const path = z.string().startsWith("/", "must be an absolute path");

/** The engine's section of the agent's file: what this agent serves. No message can widen it. */
export const kwdbSettings = z
  .strictObject({
    unit: unitName.default("kaiwudb"),
    /** Where data folders may be archived to; absent: this agent archives none. */
    archiveDir: path.optional(),
    /** The database is the one service of this compose file, which is the operator's own. */
    compose: path.optional(),
    /** The database is a container of this name, made by `docker run`. */
    container: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/)
      .optional(),
    /**
     * As whom `docker` and `docker-compose` are called for a database in a container; as the agent itself where absent.
     * Not deploy.sh: it calls docker by sudo, and its package lies where only the agent may read.
     */
    user: z
      .string()
      .regex(/^[a-z_][a-z0-9_-]*$/)
      .optional(),
    /** The database was compiled from source: the folder with its `bin` and `lib`, and the unit where one starts it. */
    program: z
      .strictObject({
        folder: z.string().regex(/^\/.*[^/]$/, "must be an absolute path"),
        unit: unitName.optional(),
        /** What a process of its own runs under once it was started by us. */
        startedAs: unitName.default("lockkeeper-kwdb"),
      })
      .optional(),
  })
  .refine(
    ({ compose, container, program }) =>
      [compose, container, program].filter((each) => each !== undefined).length < 2,
    {
      message: "compose, container and program exclude each other",
    },
  );

export type KwdbSettings = z.infer<typeof kwdbSettings>;
