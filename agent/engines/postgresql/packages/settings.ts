import { z } from "zod";

/** Debian's own rules; a last `+` or `-` would be a word for apt to install or to remove. */
const named = /^[a-z0-9][a-z0-9+.-]*[a-z0-9](?:=\d[A-Za-z0-9.+~:-]*)?$/;

/** What may be installed on this host for a move: Debian's names, each with one exact version where that is wanted. */
export const packagesSettings = z
  .array(z.string().regex(named, "must be the name of a package, or name=version"))
  .min(1)
  .max(50)
  .refine((all) => new Set(all.map((each) => nameIn(each))).size === all.length, "each package once");

export interface NamedPackage {
  readonly name: string;
  /** Undefined: the one that the package manager would take. */
  readonly version: string | undefined;
}

export function namedIn(text: string): NamedPackage {
  return { name: nameIn(text), version: text.split("=")[1] };
}

function nameIn(text: string): string {
  return text.split("=")[0] ?? text;
}
