/**
 * The one place where failures become text. Everything else passes codes and facts, so a second language
 * is a second set of entries and nothing else.
 */
import type { Facts, Failure } from "../common/failure.ts";
import { en } from "./en/index.ts";

export interface Entry {
  /** What failed and where; `{fact}` stands for a fact of that name. */
  readonly says: string;
  /** The next command or deed, in the same notation. */
  readonly next?: string;
}

export type Catalogue = Readonly<Record<string, Entry>>;

export interface Rendered {
  readonly says: string;
  readonly next?: string;
}

/** Never throws: a code without an entry is shown as it is, with its facts. */
export function render(failure: Failure, catalogue: Catalogue = en): Rendered {
  const entry = catalogue[failure.code];
  if (entry === undefined) return { says: `${failure.code}${listed(failure.facts)}` };
  const says = fill(entry.says, failure.facts);
  return entry.next === undefined ? { says } : { says, next: fill(entry.next, failure.facts) };
}

const place = /\{([A-Za-z0-9]+)\}/g;

/** A bracket of which nothing is known is left out; elsewhere what is missing is marked. */
function fill(template: string, facts: Facts): string {
  const told = template.replace(/ ?\([^()]*\{[^()]*\)/g, (bracket) =>
    [...bracket.matchAll(place)].some(([, name = ""]) => facts[name] !== undefined) ? bracket : "",
  );
  return told.replace(place, (_, name: string) => facts[name] ?? "(not said)");
}

function listed(facts: Facts): string {
  const entries = Object.entries(facts);
  return entries.length === 0 ? "" : ` (${entries.map(([name, value]) => `${name}=${value}`).join(", ")})`;
}
