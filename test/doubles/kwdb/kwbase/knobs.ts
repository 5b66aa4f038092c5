/**
 * The host's knobs: `<root>/etc/kwdb-double/host` (what the host is) and `…/faults` (what goes wrong on it),
 * key=value a line. `<root>` is where the package was unpacked: empty on a real host. A value `once` is taken
 * out of the file by the first that acts on it.
 */
import { readFileSync, realpathSync, writeFileSync } from "node:fs";
import path from "node:path";

export type Knobs = Readonly<Record<string, string>>;

/** `<root>` of `<root>/usr/local/kaiwudb/bin/kwbase`, asked at start because an upgrade removes the file. */
export function hostRoot(): string {
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

/** True when the fault is on. */
export function strikes(root: string, knobs: Knobs, name: string): boolean {
  const value = knobs[name];
  if (value === undefined || value === "" || value === "no") return false;
  if (value !== "once") return true;
  const file = path.join(root, "etc/kwdb-double/faults");
  writeFileSync(
    file,
    readLines(file)
      .filter((line) => !line.trimStart().startsWith(name))
      .join("\n"),
  );
  return true;
}

export function knobNumber(knobs: Knobs, name: string, otherwise: number): number {
  const value = Number(knobs[name]);
  return knobs[name] === undefined || Number.isNaN(value) ? otherwise : value;
}

/** How long a second of the real database lasts here. */
export function tickScale(knobs: Knobs): number {
  return Number(process.env["KWBASE_DOUBLE_TICK_SCALE"] ?? knobs["tick_scale"] ?? "1");
}
