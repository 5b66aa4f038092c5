/** A plan as it is kept in a file and sent to be applied. Nothing of it is executed: it is compared with one made anew. */
import { fail, failure, type Outcome, succeed } from "#proto/common/failure.ts";
import { unknownFormat } from "#proto/common/format.ts";
import { type Plan, planFormat } from "./plan.ts";

export function planText(plan: Plan): string {
  return `${JSON.stringify(plan, null, 2)}\n`;
}

/** `file` is for the refusals: `cli.plan-unreadable`, and `cli.plan-format` for a newer one. */
export function readPlan(text: string, file: string): Outcome<Plan> {
  let kept: unknown;
  try {
    kept = JSON.parse(text);
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    return fail("cli.plan-unreadable", { file, cause });
  }
  if (kept === null || typeof kept !== "object" || !("stages" in kept) || !("digest" in kept))
    return fail("cli.plan-unreadable", { file, cause: "it is not a plan" });
  const unknown = unknownFormat(kept, planFormat);
  return unknown === undefined
    ? succeed(kept as Plan)
    : { ok: false, failure: failure("cli.plan-format", { file, ...unknown }) };
}
