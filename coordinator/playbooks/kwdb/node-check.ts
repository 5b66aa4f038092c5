/** One check of one node; undefined where it has nothing to ask. */
import type { CheckResult } from "../../domain/check.ts";
import type { NodeEntry } from "../../domain/inventory.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import { fullOf } from "./facts.ts";

export type NodeCheck = (input: PlaybookInput, node: NodeEntry) => CheckResult | undefined;

/** A node without facts is UNKNOWN once, in agent-reports, and not in every other check too. */
export function withFacts(
  input: PlaybookInput,
  name: string,
  check: (facts: NonNullable<ReturnType<typeof fullOf>>) => CheckResult | undefined,
): CheckResult | undefined {
  const facts = fullOf(input.reports[name]);
  return facts === undefined ? undefined : check(facts);
}
