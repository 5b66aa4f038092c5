import { z } from "zod";

/** A rollout's id. */
export const rollout = z.string().regex(/^[\w-]{1,120}$/);
