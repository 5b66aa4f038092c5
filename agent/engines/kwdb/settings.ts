import { z } from "zod";

/** The engine's section of the agent's file: what this agent serves. No message can widen it. */
const unitName = z.string().regex(/^[A-Za-z0-9_.@-]+$/);

export const kwdbSettings = z.strictObject({
  unit: unitName.default("kaiwudb"),
  /** Where data folders may be archived to; absent: this agent archives none. */
  archiveDir: z.string().startsWith("/", "must be an absolute path").optional(),
  /** The database was compiled from source: the folder with its `bin` and `lib`, and the unit where one starts it. */
  program: z
    .strictObject({
      folder: z.string().regex(/^\/.*[^/]$/, "must be an absolute path"),
      unit: unitName.optional(),
      /** What a process of its own runs under once it was started by us. */
      startedAs: unitName.default("lockkeeper-kwdb"),
    })
    .optional(),
});

export type KwdbSettings = z.infer<typeof kwdbSettings>;
