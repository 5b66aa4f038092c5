/** Verbs that bring a package into the agent's own folder and prove it. Nothing of the database is touched. */
import { mkdir, readdir, readFile, rename, rm, statfs, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { type Failure, failure } from "#proto/common/failure.ts";
import { type Host, type StepResult, type Verb, verb } from "../../verb.ts";
import { manifestOf } from "./files.ts";
import { parseVersionFile } from "./mode.ts";
import { paths } from "./paths.ts";

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const version = z.string().regex(/^\d+(\.\d+)+$/);
const unpackMs = 10 * 60_000;
const dryRunMs = 3 * 60_000;
const wantedFreeBytes = 1024 ** 3;

export function packageFolder(host: Host, of: string): string {
  return join(host.stateDir, "packages", of);
}

/** The folder with deploy.sh in it, found by its content: released packages name their top folder differently. */
export async function deployFolder(host: Host, of: string): Promise<string | undefined> {
  const tree = join(packageFolder(host, of), "tree");
  const entries = await readdir(tree, { recursive: true, withFileTypes: true }).catch(() => []);
  const found = entries
    .filter((entry) => entry.isFile() && entry.name === "deploy.sh")
    .map((entry) => entry.parentPath);
  return found.sort((left, right) => left.length - right.length)[0];
}

const stagePackage = verb({
  name: "kwdb.stage-package",
  class: "observe",
  args: z.strictObject({ digest, version }),
  async run(context, args): Promise<StepResult> {
    const { host } = context;
    const folder = packageFolder(host, args.digest);
    if (
      (await deployFolder(host, args.digest)) !== undefined &&
      (await treeDiffers(host, args.digest)) === undefined
    )
      return { result: "done", outputs: { folder } };
    const fetched = await context.fetchArtefact(args.digest);
    if ("failure" in fetched) return { result: "failed", failure: fetched.failure };
    const beside = `${folder}.new`;
    await rm(beside, { recursive: true, force: true });
    await mkdir(join(beside, "tree"), { recursive: true, mode: 0o700 });
    const unpacked = await host.look(
      ["tar", "-xf", fetched.path, "-C", join(beside, "tree"), "--no-same-owner"],
      { deadlineMs: unpackMs },
    );
    if (unpacked.exitCode !== 0)
      return failed("kwdb.package-not-unpacked", {
        cause: unpacked.stderr.trim() || (unpacked.spawnError ?? "tar did not end"),
      });
    await writeFile(join(beside, "manifest.json"), JSON.stringify(await manifestOf(join(beside, "tree"))));
    await writeFile(join(beside, "version"), `${args.version}\n`);
    await rm(folder, { recursive: true, force: true });
    await mkdir(dirname(folder), { recursive: true });
    await rename(beside, folder);
    if ((await deployFolder(host, args.digest)) === undefined)
      return failed("kwdb.package-without-script", { digest: args.digest });
    return { result: "done", outputs: { folder } };
  },
});

/** Which file is not as it was unpacked; undefined when all are. */
async function treeDiffers(host: Host, of: string): Promise<string | undefined> {
  const folder = packageFolder(host, of);
  const wanted = JSON.parse(
    await readFile(join(folder, "manifest.json"), "utf8").catch(() => "{}"),
  ) as Readonly<Record<string, string>>;
  const found: Readonly<Record<string, string>> = await manifestOf(join(folder, "tree")).catch(() => ({}));
  if (Object.keys(wanted).length === 0) return "manifest.json";
  const differs = (file: string) => wanted[file] !== found[file] && !/(^|\/)log\//.test(file);
  return [...new Set([...Object.keys(wanted), ...Object.keys(found)])].find(differs);
}

const proveDigest = verb({
  name: "kwdb.prove-digest",
  class: "observe",
  args: z.strictObject({ digest }),
  async run({ host }, args): Promise<StepResult> {
    const file = await treeDiffers(host, args.digest);
    return file === undefined
      ? { result: "done", outputs: {} }
      : failed("kwdb.package-changed", { file, digest: args.digest });
  },
});

const provePackage = verb({
  name: "kwdb.prove-package",
  class: "observe",
  args: z.strictObject({ digest, version, extended: z.string() }),
  async run({ host }, args): Promise<StepResult> {
    const folder = await deployFolder(host, args.digest);
    if (folder === undefined) return failed("kwdb.package-without-script", { digest: args.digest });
    const why =
      (await whyNotThisPackage(folder, args)) ??
      (await whyNotInstallable(host, folder)) ??
      (await whyNoRoom(host));
    return why === undefined ? { result: "done", outputs: { folder } } : { result: "failed", failure: why };
  },
});

async function whyNotThisPackage(
  folder: string,
  wanted: { readonly version: string; readonly extended: string },
): Promise<Failure | undefined> {
  const names = await readdir(join(folder, "packages")).catch(() => undefined);
  if (names === undefined) return failure("kwdb.package-without-packages", { folder });
  if (names.includes("KaiwuDB.tar")) return failure("kwdb.package-is-container", { folder });
  for (const part of ["server", "libcommon"]) {
    const found = names.filter((name) => name.includes(part) && /\.(deb|rpm)$/.test(name));
    if (found.length !== 1) return failure("kwdb.package-part", { part, found: found.join(", ") || "none" });
  }
  const text = await readFile(join(folder, "packages", ".version"), "utf8").catch(() => "");
  const told = parseVersionFile(text);
  if (!told.ok) return failure("kwdb.package-without-version", { folder });
  const isWanted = told.value.basic === wanted.version && (told.value.extended ?? "") === wanted.extended;
  return isWanted
    ? undefined
    : failure("kwdb.package-version", {
        wanted: wanted.version,
        found: `${told.value.basic} ${told.value.extended ?? ""}`.trim(),
      });
}

async function whyNotInstallable(host: Host, folder: string): Promise<Failure | undefined> {
  const names = await readdir(join(folder, "packages"));
  const files = names
    .filter((name) => /\.(deb|rpm)$/.test(name))
    .map((name) => join(folder, "packages", name));
  const [first] = files;
  const isDeb = first?.endsWith(".deb") ?? false;
  const argv = isDeb
    ? (["dpkg", "--dry-run", "-i", ...files] as const)
    : (["rpm", "-U", "--test", ...files] as const);
  const tried = await host.look(argv, { deadlineMs: dryRunMs });
  if (tried.exitCode === 0) return undefined;
  const cause =
    `${tried.stderr}\n${tried.stdout}`.trim().split("\n").slice(-3).join(" ") ||
    (tried.spawnError ?? "it did not end");
  return failure("kwdb.package-not-installable", { cause });
}

async function whyNoRoom(host: Host): Promise<Failure | undefined> {
  const place = host.path(dirname(paths.programs));
  const { bavail, bsize } = await statfs(place);
  const free = bavail * bsize;
  return free >= wantedFreeBytes
    ? undefined
    : failure("kwdb.package-no-room", {
        place: dirname(paths.programs),
        free: String(free),
        wanted: String(wantedFreeBytes),
      });
}

function failed(code: `kwdb.${string}`, facts: Failure["facts"]): StepResult {
  return { result: "failed", failure: failure(code, facts) };
}

export const stagingVerbs: readonly Verb[] = [stagePackage, proveDigest, provePackage];
