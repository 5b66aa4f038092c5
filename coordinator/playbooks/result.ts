/** Makers of check results: a check says what it found in one call, and an unmeasured value can only be UNKNOWN. */
import type { Facts } from "#proto/common/failure.ts";
import { type Measured, whyUnknown } from "#proto/common/measured.ts";
import type { CheckResult, CheckStatus } from "../domain/check.ts";

export interface About {
  /** Without its engine. */
  readonly id: string;
  readonly node?: string;
  readonly yields?: CheckResult["yields"];
}

type Verdict<T> = (value: T) => readonly [CheckStatus, Facts?];

const worstFirst: readonly CheckStatus[] = ["ko", "unknown", "warn", "ok", "not-applicable"];

/** The makers of one engine, whose name begins each id. */
export function resultsOf(engine: string) {
  function result(
    { id, node, yields = "never" }: About,
    status: CheckStatus,
    facts: Facts = {},
  ): CheckResult {
    return { id: `${engine}.${id}`, status, facts, yields, ...(node === undefined ? {} : { node }) };
  }

  /** Judges a measured value, or says why it is not known. */
  function judge<T>(about: About, found: Measured<T> | undefined, verdict: Verdict<T>): CheckResult {
    if (found !== undefined && "value" in found) {
      const [status, facts] = verdict(found.value);
      return result(about, status, facts);
    }
    if (found !== undefined && "notApplicable" in found)
      return result(about, "not-applicable", { why: found.notApplicable });
    const reason = whyUnknown(found) ?? { code: "measure.never-taken" as const, facts: {} };
    return { ...result(about, "unknown"), reason };
  }

  /**
   * Judges what several nodes say to one question about their cluster: the worst answer counts, and one that
   * is missing is UNKNOWN even where all the others are content.
   */
  function judgeEvery<T>(about: About, answers: readonly Measured<T>[], verdict: Verdict<T>): CheckResult {
    const judged = answers.map((answer) => judge(about, answer, verdict));
    const worst = [...judged].sort(
      (left, right) => worstFirst.indexOf(left.status) - worstFirst.indexOf(right.status),
    )[0];
    return worst ?? judge<T>(about, undefined, verdict);
  }

  return { result, judge, judgeEvery };
}
