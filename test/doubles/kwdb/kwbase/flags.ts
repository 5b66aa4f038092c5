/** Flags as cobra reads them: `--x=v`, `--x v`, `--flag`, `-e v`; an unknown one is refused. */
import { CliError } from "./cli-error.ts";

export type FlagKinds = Readonly<Record<string, "switch" | "value">>;

export interface Flags {
  readonly positional: readonly string[];
  readonly values: ReadonlyMap<string, readonly string[]>;
}

export const connectionFlags = {
  host: "value",
  insecure: "switch",
  "certs-dir": "value",
  tlcp: "switch",
  format: "value",
  timeout: "value",
  url: "value",
} as const satisfies FlagKinds;

const shorthands: Readonly<Record<string, string>> = { "-e": "--execute", "-s": "--store", "-j": "--join" };

export function parseFlags(argv: readonly string[], kinds: FlagKinds): Flags {
  const positional: string[] = [];
  const values = new Map<string, string[]>();
  const rest = [...argv];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const long = shorthands[word] ?? word;
    if (!long.startsWith("--")) {
      positional.push(word);
      continue;
    }
    const [name = "", ...after] = long.slice(2).split("=");
    const kind = kinds[name];
    if (kind === undefined) throw new CliError(`unknown flag: --${name}`);
    const value = after.length > 0 ? after.join("=") : kind === "switch" ? "true" : rest.shift();
    if (value === undefined) throw new CliError(`flag needs an argument: --${name}`);
    values.set(name, [...(values.get(name) ?? []), value]);
  }
  return { positional, values };
}

export function flag(flags: Flags, name: string): string | undefined {
  return flags.values.get(name)?.at(-1);
}

export function isSet(flags: Flags, name: string): boolean {
  const value = flag(flags, name);
  return value !== undefined && value !== "false";
}
