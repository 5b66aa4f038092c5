/**
 * The host's knobs: `<root>/etc/kwdb-double/host` (what the host is) and `…/faults` (what goes wrong on it),
 * key=value a line. `<root>` is where the package was unpacked: empty on a real host. A value that ends in
 * `once` is taken out of the file by the first that acts on it.
 */
import { readFileSync, realpathSync, writeFileSync } from "node:fs";
import path from "node:path";

export type Knobs = Readonly<Record<string, string>>;

/**
 * `<root>` of `<root>/usr/local/kaiwudb/bin/kwbase`, asked at start because an upgrade removes the file. A build from
 * source may lie anywhere, and is told.
 */
export function hostRoot(): string {
  const told = process.env["KWDB_HOST_ROOT"];
  if (told !== undefined) return told;
  const [, self = ""] = process.argv;
  return path.resolve(path.dirname(realpathSync(self)), "../../../..");
}

function readLines(file: string): readonly string[] {
  try {
    return readFileSync(file, "utf8").split("\n");
  } catch {
    return [];
  }
}

export function readKnobs(root: string): Knobs {
  const lines = ["host", "faults"].flatMap((name) => readLines(path.join(root, "etc/kwdb-double", name)));
  return Object.fromEntries(
    lines.flatMap((line) => {
      const found = /^\s*([a-z_]+)\s*=\s*(.*?)\s*$/.exec(line);
      return found === null ? [] : [[found[1], found[2]]];
    }),
  );
}

/** The fault's value when it is on. */
export function strike(root: string, knobs: Knobs, name: string): string | undefined {
  const [value = "", once] = (knobs[name] ?? "").split(" ");
  if (value === "" || value === "no") return undefined;
  if (once !== "once" && value !== "once") return value;
  const file = path.join(root, "etc/kwdb-double/faults");
  const left = readLines(file).filter((line) => !line.startsWith(`${name}=`));
  writeFileSync(file, left.join("\n"));
  return value;
}

export function knobNumber(knobs: Knobs, name: string, otherwise: number): number {
  const value = Number(knobs[name]);
  return knobs[name] === undefined || Number.isNaN(value) ? otherwise : value;
}

/** How long a second of the real database lasts here. */
export function tickScale(knobs: Knobs): number {
  return Number(process.env["KWBASE_DOUBLE_TICK_SCALE"] ?? knobs["tick_scale"] ?? "1");
}
