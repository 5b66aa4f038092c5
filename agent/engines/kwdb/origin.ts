/**
 * Which try of which rollout has made what the agent keeps of a node: its archive, its saved configuration. Stands
 * beside the thing; without it, or with another's, the thing is not this rollout's.
 */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { type Facts, FailureError, failure } from "#proto/common/failure.ts";
import { unknownFormat } from "#proto/common/format.ts";
import type { StepContext } from "../../verb.ts";

/** Of an origin that stands by itself; an archive\'s stands in its record. */
export const originFormat = 1;

export const originSchema = z.object({
  rollout: z.string(),
  stage: z.string(),
  attempt: z.number(),
  /** What had been begun on the node before this try. */
  begunBefore: z.enum(["nothing", "reversible", "irreversible"]),
});
type Origin = z.infer<typeof originSchema>;

export function originText({ rollout, stage, attempt, begunBefore }: Origin): string {
  return JSON.stringify({ format: originFormat, rollout, stage, attempt, begunBefore });
}

/**
 * Undefined where it is to be made (anew); refused to whom `isOriginal` is. Throws FailureError
 * `kwdb.origin-format-unknown`: what a newer agent has kept is not written over.
 */
export async function keptOriginal(originFile: string, context: StepContext): Promise<Origin | undefined> {
  const origin = readOrigin(await readJson(originFile), originFile);
  return origin !== undefined && isOriginal(origin, context) ? origin : undefined;
}

/**
 * What there is stays where this very try has made it, or where an earlier one of this rollout has and something
 * began since that cannot be undone: it is then the original. Where nothing such began, what is on the node now is
 * the original, and newer.
 */
export function isOriginal(
  origin: Origin,
  {
    rollout,
    stage,
    attempt,
    begunBefore,
  }: Pick<StepContext, "rollout" | "stage" | "attempt" | "begunBefore">,
): boolean {
  if (origin.rollout !== rollout || origin.stage !== stage) return false;
  return origin.attempt === attempt || begunBefore === "irreversible";
}

/** A file's or folder's name with the rollout in it. */
export function namedAfter(label: string, { rollout }: Pick<Origin, "rollout">): string {
  return `${label}-${rollout.replace(/[^A-Za-z0-9._-]/g, "_")}`;
}

/** Told at the rollout's end where it was made too late to be the original. */
export function notOriginal({ begunBefore }: Pick<Origin, "begunBefore">, what: string): Facts {
  return begunBefore === "irreversible"
    ? { [`not-seen.${what}`]: "it was kept only after an upgrade had been begun there" }
    : {};
}

/** Undefined where there is none, or a spoilt one. */
export function readOrigin(kept: unknown, file: string): Origin | undefined {
  const unknown = kept === undefined ? undefined : unknownFormat(kept, originFormat);
  if (unknown !== undefined)
    throw new FailureError(failure("kwdb.origin-format-unknown", { file, ...unknown }));
  return originSchema.safeParse(kept).data;
}

/** Undefined where there is no such file, or no JSON in it. */
export async function readJson(file: string): Promise<unknown> {
  const text = await readFile(file, "utf8").catch(() => "");
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
