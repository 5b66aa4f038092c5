/** What a plan would have an agent measure, do by itself, or undo, in words; by its name where there are none. */
import { render } from "#proto/catalogue/render.ts";
import type { Facts, FailureCode } from "#proto/common/failure.ts";
import { fewOf } from "../../domain/few.ts";
import type { Call } from "../../domain/plan.ts";

export function deedWords(kind: "probe" | "reaction" | "undo", { verb, args }: Call): string {
  const code: FailureCode = `${kind}.${verb}`;
  const { says } = render({ code, facts: forReaders(args) });
  return says.startsWith(code) ? verb : says;
}

/** A list travels as JSON, and is read as names. */
export function forReaders(args: Facts): Facts {
  return Object.fromEntries(Object.entries(args).map(([name, value]) => [name, namesIn(value) ?? value]));
}

function namesIn(value: string): string | undefined {
  if (!(value.startsWith(`["`) && value.endsWith(`"]`))) return undefined;
  const names = JSON.parse(value) as readonly string[];
  return fewOf(names);
}
