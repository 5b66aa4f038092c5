/** What a plan's digest covers, as canonical text: keys sorted, nothing left to chance. */
import type { Plan } from "./plan.ts";

/** Keys in order at every depth, so that equal values have equal texts. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(",")}}`;
}

/** What is done, to what, from what. Checks are left out: their facts move by the minute and are judged anew. */
export function digestedText(plan: Plan): string {
  const {
    engine,
    clusters,
    from,
    to,
    strategy,
    method,
    artefact,
    boundTo,
    stages,
    pointOfNoReturn,
    back,
    mend,
  } = plan;
  return canonical({
    engine,
    clusters,
    from,
    to,
    strategy,
    method,
    artefact,
    boundTo,
    stages,
    pointOfNoReturn,
    back,
    mend,
  });
}

/** A fingerprint's field that could not be measured. */
export const unmeasured = "unknown";

/** A fingerprint's field, as text; undefined is what could not be measured. */
export function fieldOf(value: unknown): string {
  if (value === undefined) return unmeasured;
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Fields that differ between what a plan was bound to and what is found now. */
export function driftOf(
  planned: Readonly<Record<string, string>>,
  found: Readonly<Record<string, string>>,
): readonly { readonly field: string; readonly planned: string; readonly found: string }[] {
  const fields = [...new Set([...Object.keys(planned), ...Object.keys(found)])].sort();
  return fields
    .map((field) => ({ field, planned: planned[field] ?? "(absent)", found: found[field] ?? "(absent)" }))
    .filter((each) => each.planned !== each.found);
}
