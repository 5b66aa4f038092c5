import { z } from "zod";

/** The engine's section of the agent's file: what this agent serves. No message can widen it. */
export const kwdbSettings = z.strictObject({
  unit: z
    .string()
    .regex(/^[A-Za-z0-9_.@-]+$/)
    .default("kaiwudb"),
  /** Where data folders may be archived to; absent: this agent archives none. */
  archiveDir: z.string().startsWith("/", "must be an absolute path").optional(),
});

export type KwdbSettings = z.infer<typeof kwdbSettings>;
