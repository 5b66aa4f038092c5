/** Makers of check results: a check says what it found in one call, and an unmeasured value can only be UNKNOWN. */
import type { Facts } from "#proto/common/failure.ts";
import { type Measured, whyUnknown } from "#proto/common/measured.ts";
import type { CheckResult, CheckStatus } from "../../domain/check.ts";

interface About {
  readonly id: string;
  readonly node?: string;
  readonly yields?: CheckResult["yields"];
}

export function result(
  { id, node, yields = "never" }: About,
  status: CheckStatus,
  facts: Facts = {},
): CheckResult {
  return { id: `kwdb.${id}`, status, facts, yields, ...(node === undefined ? {} : { node }) };
}

/** Judges a measured value, or says why it is not known. */
export function judge<T>(
  about: About,
  found: Measured<T> | undefined,
  verdict: (value: T) => readonly [CheckStatus, Facts?],
): CheckResult {
  if (found !== undefined && "value" in found) {
    const [status, facts] = verdict(found.value);
    return result(about, status, facts);
  }
  if (found !== undefined && "notApplicable" in found)
    return result(about, "not-applicable", { why: found.notApplicable });
  const reason = whyUnknown(found) ?? { code: "measure.never-taken" as const, facts: {} };
  return { ...result(about, "unknown"), reason };
}

const worstFirst: readonly CheckStatus[] = ["ko", "unknown", "warn", "ok", "not-applicable"];

/**
 * Judges what several nodes say to one question about their cluster: the worst answer counts, and one that
 * is missing is UNKNOWN even where all the others are content.
 */
export function judgeEvery<T>(
  about: About,
  answers: readonly Measured<T>[],
  verdict: (value: T) => readonly [CheckStatus, Facts?],
): CheckResult {
  const judged = answers.map((answer) => judge(about, answer, verdict));
  const worst = [...judged].sort(
    (left, right) => worstFirst.indexOf(left.status) - worstFirst.indexOf(right.status),
  )[0];
  return worst ?? judge<T>(about, undefined, verdict);
}
