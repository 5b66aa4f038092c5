/** Two versions of the stand-in as packages, and changed copies of them, for every suite of KWDB's verbs. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { BuiltPackage } from "#test/doubles/kwdb/build-package.ts";
import { Bench } from "../../kwdb-double/fixture.ts";

export const target = { version: "3.1.0" };

export interface Packages {
  readonly bench: Bench;
  readonly old: BuiltPackage;
  readonly next: BuiltPackage;
}

export async function packages(): Promise<Packages> {
  const bench = new Bench();
  return { bench, old: await bench.package("3.0.0"), next: await bench.package(target.version) };
}

/** A package's copy, changed, packed again: what it is called by is the digest of what it then is. */
export function packed(
  bench: Bench,
  built: BuiltPackage,
  change: (folder: string) => void,
): { readonly file: string; readonly digest: string } {
  const folder = mkdtempSync(path.join(bench.dir, "packed-"));
  const tree = path.join(folder, path.basename(built.folder));
  cpSync(built.folder, tree, { recursive: true });
  change(tree);
  const file = path.join(folder, "package.tar.gz");
  execFileSync("tar", ["-czf", file, "-C", folder, path.basename(tree)]);
  return { file, digest: digestOf(file) };
}

export function digestOf(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}

export function debIn(folder: string, part: string): string {
  const name = readdirSync(path.join(folder, "packages")).find((each) => each.includes(part)) ?? "";
  return path.join(folder, "packages", name);
}
