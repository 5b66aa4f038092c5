/** A document of the other side. */
import { readFile } from "node:fs/promises";
import type { z } from "zod";
import type { StepContext } from "../../../verb.ts";
import { must, stop } from "../desk.ts";

/** Path of the newest that was sent under this name. Throws FailureError: `postgresql.parcel-missing`. */
export async function fetched(context: StepContext, name: string): Promise<string> {
  const sent = must(await context.parcels.find(name));
  return sent === undefined
    ? stop("postgresql.parcel-missing", { what: name })
    : must(await context.parcels.fetch(sent.digest));
}

export async function readParcel<T>(context: StepContext, name: string, schema: z.ZodType<T>): Promise<T> {
  return schema.parse(JSON.parse(await readFile(await fetched(context, name), "utf8")));
}
