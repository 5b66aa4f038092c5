/** Whether what replication does not carry is little enough to be taken along behind the fence. */
import { z } from "zod";
import { done } from "../../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../../verb.ts";
import { databases } from "../../databases.ts";
import { resultOf, stop } from "../desk.ts";
import { ofEach } from "../each-database.ts";
import type { Means } from "../settings.ts";
import { type Bulk, bulkOf } from "./bulk.ts";
import { type Kinds, kinds } from "./contents.ts";

export const weighArgs = z.strictObject({
  databases,
  /** Those that are taken along; of the others a person has said that they are not. */
  kinds,
  /** Of all databases together. */
  limitBytes: z
    .string()
    .regex(/^\d{1,10}$/)
    .transform(Number),
});
export type WeighArgs = z.infer<typeof weighArgs>;

export function weighingVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.weigh-unreplicated",
      class: "observe",
      args: weighArgs,
      run: (context, given) => resultOf(() => weigh(context, means, given)),
    }),
  ];
}

async function weigh(context: StepContext, means: Means, given: WeighArgs): Promise<StepResult> {
  return done({ bytes: String(await mustBeWithin(context, means, given)) });
}

/** In bytes. Throws FailureError: `postgresql.unreplicated-too-much`. */
export async function mustBeWithin(
  context: StepContext,
  means: Means,
  { databases: names, kinds: wanted, limitBytes }: WeighArgs,
): Promise<number> {
  const found = await ofEach(context, means, names, bulkOf);
  const weights = names.map((name) => ({ name, bytes: bytesOf(found[name], wanted) }));
  const bytes = weights.reduce((sum, each) => sum + each.bytes, 0);
  if (bytes <= limitBytes) return bytes;
  const having = weights.filter((each) => each.bytes > 0).sort((left, right) => right.bytes - left.bytes);
  return stop("postgresql.unreplicated-too-much", {
    bytes: String(bytes),
    limit: String(limitBytes),
    found: having
      .slice(0, 10)
      .map((each) => `${each.name}: ${each.bytes}`)
      .join(", "),
  });
}

function bytesOf(bulk: Bulk | undefined, wanted: Kinds): number {
  const { largeObjectBytes = 0, unloggedBytes = 0 } = bulk ?? {};
  return (
    (wanted.includes("large-objects") ? largeObjectBytes : 0) +
    (wanted.includes("unlogged") ? unloggedBytes : 0)
  );
}
