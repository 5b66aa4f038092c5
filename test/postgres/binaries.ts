/** Where the npm packages of PostgreSQL's servers are: initdb, pg_ctl and postgres of each major, no clients. */
import { readFileSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

/** Those whose servers this project has; each is the alias pgN in package.json. */
export const majors = [10, 11, 12, 13, 14, 15, 16, 17, 18] as const;
export type Major = (typeof majors)[number];

/** The folder with bin/, lib/ and share/; the package's own links are made where its install script did not run. */
export function postgresFolder(major: Major = 17): string {
  const folder = path.dirname(path.dirname(resolved(`pg${major}`)));
  const links = JSON.parse(readFileSync(path.join(folder, "native/pg-symlinks.json"), "utf8")) as readonly {
    readonly source: string;
    readonly target: string;
  }[];
  for (const { source, target } of links) {
    try {
      symlinkSync(path.basename(source), path.join(folder, target));
    } catch {
      // made before
    }
  }
  return path.join(folder, "native");
}

/** As this file's own dependency; of a program that was bundled elsewhere, as one of the folder in which it was started. */
function resolved(name: string): string {
  try {
    return createRequire(import.meta.url).resolve(name);
  } catch {
    return createRequire(path.join(process.cwd(), "package.json")).resolve(name);
  }
}

/** Why a test of all majors leaves this one to make test-full; undefined for the oldest and the newest. */
export function whyLeft(major: Major): string | undefined {
  const full = process.env["LOCKKEEPER_TEST_FULL"] === "1";
  return full || major === 10 || major === 18 ? undefined : "of all majors in make test-full";
}
