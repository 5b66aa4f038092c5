/** A cluster that was compiled from source, as its agents describe it when all is well. */
import { type Changed, is, names, notApplicable } from "./cluster.ts";

export const build = {
  folder: "/opt/kwdb",
  kind: "folder",
  foreign: [] as string[],
  bytes: 600 * 1024 ** 2,
  availableBytes: 20 * 1024 ** 3,
  missingLibraries: [] as string[],
  kept: [],
};
export const start = {
  unit: null as string | null,
  executable: "/opt/kwdb/bin/kwbase",
  binary: "/opt/kwdb/bin/kwbase",
  argv: ["./kwbase", "start", "--insecure", "--store=/srv/kwdb"],
  cwd: "/opt/kwdb/bin",
  user: "kwdb",
  environmentNames: ["LD_LIBRARY_PATH", "PATH"],
};

/** Facts of every node, with some of them other. */
export function compiled(over: object = {}, changed: Changed = {}): Changed {
  const own = {
    ...{ form: is("compiled"), build: is(build), start: is(start), container: notApplicable },
    ...{ unitSha256: notApplicable, keptPackages: is([]), sudo: is(false) },
    ...over,
  };
  return {
    to: "3.1.0",
    ...changed,
    facts: Object.fromEntries(names.map((name) => [name, own])),
    cluster: { deployment: "compiled", ...changed.cluster },
  };
}
