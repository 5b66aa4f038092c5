/** Verbs that bring a package into the agent's own folder and prove it. Nothing of the database is touched. */
import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { type Failure, failure } from "#proto/common/failure.ts";
import { done, failed, failedBy } from "../../outcome.ts";
import { type Host, type StepResult, type Verb, verb } from "../../verb.ts";
import { digest, version } from "./args.ts";
import { packageToolOf } from "./host-facts.ts";
import type { Means } from "./installation.ts";
import { containerOn } from "./installed.ts";
import { changedFile, deployFolder, deployFolderIn, keptPackages } from "./packages.ts";
import { paths } from "./paths.ts";
import { freeBytes } from "./space.ts";
import { stagingVerb } from "./unpacking.ts";
import { parseVersionFile } from "./version-text.ts";

const dryRunMs = 3 * 60_000;
const spareBytes = 256 * 1024 ** 2;

const stagePackage = stagingVerb("kwdb.stage-package", async (folder) =>
  (await deployFolderIn(folder)) === undefined ? failure("kwdb.package-without-script", {}) : undefined,
);

const proveDigest = verb({
  name: "kwdb.prove-digest",
  class: "observe",
  args: z.strictObject({ digest }),
  async run({ host }, args): Promise<StepResult> {
    const file = await changedFile(host, args.digest);
    return file === undefined ? done() : failed("kwdb.package-changed", { file, digest: args.digest });
  },
});

function provePackage(means: Means): Verb {
  return verb({
    name: "kwdb.prove-package",
    class: "observe",
    args: z.strictObject({ digest, version, extended: z.string().regex(/^[a-z0-9]{0,20}$/) }),
    async run({ host }, args): Promise<StepResult> {
      const folder = await deployFolder(host, args.digest);
      if (folder === undefined) return failed("kwdb.package-without-script", {});
      const why = await whyNotOnHost(folder, { host, means }, () => whyNotThisVersion(folder, args));
      return why === undefined ? done({ folder }) : failedBy(why);
    },
  });
}

/** All that can be known of a package on this host without installing it, its version by the caller's own measure. */
async function whyNotOnHost(
  folder: string,
  { host, means }: { readonly host: Host; readonly means: Means },
  whyOtherVersion: () => Promise<Failure | undefined>,
): Promise<Failure | undefined> {
  const isContainer = (await containerOn(host, means)) !== undefined;
  const why = (await whyOtherKind(folder, isContainer)) ?? (await whyOtherVersion());
  // an image is proven by loading it
  if (why !== undefined || isContainer) return why;
  return (await whyNotInstallable(host, folder)) ?? (await whyNoRoom(host, folder));
}

async function whyOtherKind(folder: string, isContainer: boolean): Promise<Failure | undefined> {
  const names = await readdir(join(folder, "packages")).catch(() => undefined);
  if (names === undefined) return failure("kwdb.package-without-packages", { folder });
  if (names.includes("KaiwuDB.tar") !== isContainer)
    return failure(isContainer ? "kwdb.package-is-bare" : "kwdb.package-is-container", { folder });
  if (isContainer) return undefined;
  // the script gives all that match to the installer in one word list: two of a kind break it
  for (const part of ["server", "libcommon"]) {
    const found = names.filter((name) => name.includes(part));
    if (found.length !== 1) return failure("kwdb.package-part", { part, found: found.join(", ") || "none" });
  }
  return undefined;
}

async function whyNotThisVersion(
  folder: string,
  wanted: { readonly version: string; readonly extended: string },
): Promise<Failure | undefined> {
  const text = await readFile(join(folder, "packages", ".version"), "utf8").catch(() => "");
  const told = parseVersionFile(text);
  if (!told.ok) return failure("kwdb.package-without-version", { folder });
  const isWanted = told.value.basic === wanted.version && (told.value.extended ?? "") === wanted.extended;
  return isWanted
    ? undefined
    : failure("kwdb.package-version", {
        wanted: `${wanted.version} ${wanted.extended}`.trim(),
        found: `${told.value.basic} ${told.value.extended ?? ""}`.trim(),
      });
}

/** What is installed will have been removed, whatever its version and its name; `rpm --test` does not know that. */
const insteadOfAny = ["--oldpackage", "--replacepkgs", "--replacefiles"] as const;

/** A dry run of the tool that the script will choose: kind, architecture and what they depend on. */
async function whyNotInstallable(host: Host, folder: string): Promise<Failure | undefined> {
  const tool = await packageToolOf(host);
  if (!tool.ok) return tool.failure;
  const names = (await readdir(join(folder, "packages"))).filter((name) => /server|libcommon/.test(name));
  const suffix = tool.value === "dpkg" ? ".deb" : ".rpm";
  const strange = names.find((name) => !name.endsWith(suffix));
  if (strange !== undefined)
    return failure("kwdb.package-of-other-kind", { file: strange, tool: tool.value });
  // in the script's order, since one needs the other
  const files = names.toSorted().map((name) => join(folder, "packages", name));
  const argv =
    tool.value === "dpkg"
      ? (["dpkg", "--dry-run", "-i", ...files] as const)
      : (["rpm", "-U", "--test", ...insteadOfAny, ...files] as const);
  const tried = await host.look(argv, { deadlineMs: dryRunMs });
  if (tried.exitCode === 0) return undefined;
  const said = `${tried.stderr}\n${tried.stdout}`.trim().split("\n").slice(0, 3).join(" ");
  return failure("kwdb.package-not-installable", {
    cause: tried.spawnError ?? (tried.timedOut ? "it did not end" : said),
  });
}

/** Packed files, unpacked next to the old ones' leftovers, and something to breathe. */
async function whyNoRoom(host: Host, folder: string): Promise<Failure | undefined> {
  const sizes = await Promise.all(
    (await readdir(join(folder, "packages"))).map((name) => stat(join(folder, "packages", name))),
  );
  const packedBytes = sizes.reduce((sum, { size }) => sum + size, 0);
  const wanted = packedBytes * 4 + spareBytes;
  const place = dirname(paths.programs);
  const free = await freeBytes(host, place);
  if (!free.ok) return free.failure;
  return free.value >= wanted
    ? undefined
    : failure("kwdb.package-no-room", { place, free: String(free.value), wanted: String(wanted) });
}

/**
 * The old package, for the way back: both ways remove what is installed before they install another one. So all that
 * can be known of it is asked while nothing is removed.
 */
function proveKept(means: Means): Verb {
  return verb({
    name: "kwdb.prove-kept",
    class: "observe",
    args: z.strictObject({ digest, version }),
    async run({ host }, args): Promise<StepResult> {
      const kept = await keptPackages(host);
      if (!kept.ok) return failedBy(kept.failure);
      const found = kept.value.find(({ sha256 }) => sha256 === args.digest)?.version;
      const folder = await deployFolder(host, args.digest);
      if (found !== args.version || folder === undefined)
        return failed("kwdb.old-package-differs", {
          digest: args.digest,
          found: found ?? "none",
          wanted: args.version,
        });
      const why = await whyNotOnHost(folder, { host, means }, () => Promise.resolve(undefined));
      return why === undefined ? done({ folder }) : failedBy(why);
    },
  });
}

export function stagingVerbs(means: Means): readonly Verb[] {
  return [stagePackage, proveDigest, provePackage(means), proveKept(means)];
}
