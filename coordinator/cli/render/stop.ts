/** A stop as it is told: what was touched and what was not, what stands now, what to do first, the next command. */
import { render } from "#proto/catalogue/render.ts";
import type { Facts, Failure, FailureCode } from "#proto/common/failure.ts";
import { fewOf } from "../../domain/few.ts";
import type { StopView, TouchedView } from "../../domain/views.ts";

/** Below the line that says why; without the command, which each place puts where its readers look for it. */
export function stopLines({
  why,
  hint,
  touched,
  command = "",
}: Pick<StopView, "why" | "hint" | "touched"> & { readonly command?: string }): readonly string[] {
  const { next } = render(why);
  // once is enough, and the command is the one to copy
  const isSaid = command !== "" && next?.startsWith(command.split(",")[0] ?? "") === true;
  const stands = hintText(hint, why.facts);
  return [
    ...touchedLines(touched),
    ...(stands === undefined ? [] : [`  stands:  ${stands}`]),
    ...(next === undefined || isSaid ? [] : [`  first:   ${next}`]),
  ];
}

/** Below the next command: going on is one way, going back another, and neither is taken without a person. */
export function otherwiseLines({ otherwise }: Pick<StopView, "otherwise">): readonly string[] {
  return otherwise === undefined ? [] : [`  or back: ${otherwise}`];
}

/** Undefined for a hint of an older log that has no words any more: nothing is better than a code. */
export function hintText(hint: string, facts: Facts): string | undefined {
  const code = hint as FailureCode;
  const { says } = render({ code, facts });
  return says.startsWith(code) ? undefined : says;
}

function touchedLines(touched: TouchedView): readonly string[] {
  const { untouched, done, begun, unknown, reacted } = touched;
  const told: readonly Failure[] = [
    ...named("touched.done", done),
    ...begun.flatMap(beganOn),
    ...named("touched.unknown", unknown),
    ...reacted.map((facts): Failure => ({ code: "touched.reacted", facts })),
  ];
  const lines = told.length === 0 ? [{ code: "touched.nothing", facts: {} } as Failure] : told;
  return [
    ...lines.map((each, index) => `  ${index === 0 ? "touched:" : "        "} ${render(each).says}`),
    ...(told.length === 0 || untouched.length === 0 ? [] : [`  not touched: ${fewOf(untouched)}`]),
  ];
}

function named(code: FailureCode, nodes: readonly string[]): readonly Failure[] {
  return nodes.length === 0 ? [] : [{ code, facts: { nodes: fewOf(nodes) } }];
}

function beganOn({ node, steps, undone, told }: TouchedView["begun"][number]): readonly Failure[] {
  const left = steps.filter((step) => !undone.includes(step));
  const facts = { node, left: left.join(", "), undone: undone.join(", ") };
  const partly = left.length === 0 ? "touched.undone" : "touched.part-undone";
  const began: Failure = { code: undone.length === 0 ? "touched.begun" : partly, facts };
  return told ? [began] : [began, { code: "touched.more", facts }];
}
