import { z } from "zod";

/** The engine's section of the agent's file: what this agent serves. No message can widen it. */
export const kwdbSettings = z.strictObject({
  unit: z
    .string()
    .regex(/^[A-Za-z0-9_.@-]+$/)
    .default("kaiwudb"),
});

export type KwdbSettings = z.infer<typeof kwdbSettings>;
