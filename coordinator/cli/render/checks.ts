/**
 * Check results: a dotted line to the result, then what was found, then a hint that can be pasted. What blocks comes
 * first, and of what is alike wrong the cause before its consequences.
 */
import { render } from "#proto/catalogue/render.ts";
import type { FailureCode } from "#proto/common/failure.ts";
import type { CheckResult, CheckStatus } from "../../domain/check.ts";
import { type Paint, toneOfCheck, wordOfCheck } from "./style.ts";
import { widthOf } from "./table.ts";

const lineWidth = 72;
const order: readonly CheckStatus[] = ["ko", "unknown", "warn", "ok", "not-applicable"];

export function renderChecks(results: readonly CheckResult[], paint: Paint): string {
  return [...results]
    .sort(byUrgency)
    .map((result) => renderCheck(result, paint))
    .join("\n");
}

/** Counts by status, in the order of their list: `2 KO, 1 UNKNOWN, 14 OK`. */
export function countChecks(results: readonly CheckResult[]): string {
  return order
    .flatMap((status) => {
      const words = results.filter((result) => result.status === status).map(wordOf);
      return [...new Set(words)].map((word) => `${words.filter((each) => each === word).length} ${word}`);
    })
    .join(", ");
}

/**
 * What ails a node is why its cluster ails; what hangs on another check stands after it in the playbook's own list,
 * whose order is kept otherwise.
 */
function byUrgency(left: CheckResult, right: CheckResult): number {
  return (
    order.indexOf(left.status) - order.indexOf(right.status) ||
    Number(left.node === undefined) - Number(right.node === undefined)
  );
}

function renderCheck(result: CheckResult, paint: Paint): string {
  const title = render({ code: `check.${result.id}`, facts: result.facts }).says;
  const subject = result.node === undefined ? title : `${result.node}: ${title}`;
  const dots = ".".repeat(Math.max(3, lineWidth - widthOf(subject)));
  const head = `${subject} ${paint("dim", dots)} ${paint(toneOfCheck[result.status], wordOf(result))}`;
  return [head, ...explanations(result)].join("\n");
}

function explanations(result: CheckResult): readonly string[] {
  if (result.status === "ok") return [];
  const code: FailureCode = `check.${result.id}.${result.status}`;
  const found = render({ code, facts: result.facts });
  const lines = [indent(found.says)];
  const because = result.reason === undefined ? undefined : render(result.reason);
  if (because !== undefined) lines.push(indent(`because: ${because.says}`));
  const hint = found.next ?? because?.next;
  if (hint !== undefined) lines.push(indent(`hint: ${hint}`));
  const word = wordThatHelps(result);
  if (word !== undefined) lines.push(indent(word));
  return lines;
}

/** What was found was measured well: it is a person who must say that it goes so. */
function wordOf({ status, yields, reason, facts }: CheckResult): string {
  const isAsked = status === "unknown" && yields === "acknowledge" && reason === undefined;
  return isAsked && (facts["found"] ?? "") !== "" ? "NEEDS YOUR WORD" : wordOfCheck[status];
}

function wordThatHelps(result: CheckResult): string | undefined {
  if (result.status !== "ko" && result.status !== "unknown") return undefined;
  if (result.yields === "override")
    return `or answer for it: --override ${result.id} --reason "…" --until TIME`;
  if (result.yields === "acknowledge" && result.status === "unknown")
    return `or answer for it: --ack ${result.id} --reason "…"`;
  return undefined;
}

function indent(text: string): string {
  return text
    .split("\n")
    .map((line) => `    ${line}`)
    .join("\n");
}
