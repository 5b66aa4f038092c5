/** Being written: what the plan stands on. */
import type { CheckResult } from "../../domain/check.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";

export function checkMove(_input: PlaybookInput): readonly CheckResult[] {
  return [];
}
