import { z } from "zod";

/** An argument that is more than a word: as JSON text, `what` it has to be. */
export function jsonArg<T extends z.ZodType>(what: string, schema: T) {
  return z
    .string()
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text);
      } catch {
        context.addIssue({ code: "custom", message: what });
        return z.NEVER;
      }
    })
    .pipe(schema);
}
