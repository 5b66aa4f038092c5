/** Shapes that arguments of several verbs share. Arguments travel as texts. */
import { z } from "zod";

export const nothing = z.strictObject({});
export const version = z.string().regex(/^\d+(\.\d+){1,4}$/);
export const digest = z.string().regex(/^[0-9a-f]{64}$/);
export const milliseconds = z
  .string()
  .regex(/^\d{1,9}$/)
  .transform(Number);
/** A name for a folder of our own. */
export const label = z.string().regex(/^[A-Za-z0-9._-]{1,120}$/);
const address = z.string().regex(/^[A-Za-z0-9._:[\]-]{1,255}:\d{1,5}$/);
/** `host:port` of other nodes; a standalone node has none. */
export const peers = z
  .string()
  .transform((text) => (text === "" ? [] : text.split(",")))
  .pipe(z.array(address));
/** Of a cluster or a node, as the inventory has it. */
export const name = z.string().min(1).max(253);
/** An image of a registry, by its digest. */
export const reference = z.string().regex(/^[a-z0-9][A-Za-z0-9._:/-]{0,300}@sha256:[0-9a-f]{64}$/);
/**
 * An image: of a package, or of a registry, the other of the two is empty; or one that the engine has already, by its
 * id. `name`: what it was called in the container or compose file that it goes back to.
 */
export const imageArgs = z.strictObject({
  digest: z.union([digest, z.literal("")]),
  reference: z.union([reference, z.literal("")]),
  version,
  image: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/)
    .optional(),
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,300}$/)
    .optional(),
});
/** Somebody has left this node half-changed before this rollout: it may be down, and what it holds is not as it was. */
export const halfWay = z.literal("yes").optional();
