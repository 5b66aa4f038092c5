/**
 * The package change itself. deploy.sh says success without an upgrade and failure with one, mislabels its
 * errors and has no lock; so nothing is believed but the version file and the binary.
 *
 * | version file | binary | meaning | what follows |
 * |---|---|---|---|
 * | old | old | not started | run |
 * | old | absent | old removed, new not installed | run again |
 * | old | new | killed before the version file was copied | run again |
 * | new | new | done | never again: it would be refused |
 */
import { stripVTControlCharacters } from "node:util";
import { z } from "zod";
import { type Failure, failure } from "#proto/common/failure.ts";
import { done, failed, failedBy } from "../../outcome.ts";
import { type Host, type Probe, type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { digest, version } from "./args.ts";
import { isDown, type Means } from "./installation.ts";
import { installationOn } from "./installed.ts";
import { deployFolder } from "./packages.ts";
import { foreignInstallers, workingIn } from "./processes.ts";

const args = z.strictObject({ digest, version });
export type Args = z.infer<typeof args>;

interface Found {
  /** Empty: there is none. */
  readonly file: string;
  readonly binary: string;
}

export function packageVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "kwdb.upgrade-package",
      class: "irreversible",
      args,
      run: (context, given) => upgrade(context, given, means),
      probe: (context, given) => probe(context, given, means),
    }),
    verb({
      name: "kwdb.prove-files",
      class: "observe",
      args: z.strictObject({ version }),
      async run({ host }, given): Promise<StepResult> {
        const found = await look(host, means);
        return isDone(found, given.version)
          ? done({ ...found })
          : failed("kwdb.upgrade-not-done", notDone(found, given.version));
      },
    }),
  ];
}

export async function look(host: Host, means: Means): Promise<Found> {
  const here = await installationOn(host, means);
  const [file, binary] = await Promise.all([here.versionFile(), here.program()]);
  return { file: file.ok ? file.value.basic : "", binary: binary.ok ? binary.value.version : "" };
}

export function isDone({ file, binary }: Found, target: string): boolean {
  return file === target && binary === target;
}

export function notDone({ file, binary }: Found, target: string): Failure["facts"] {
  return { target, versionFile: file || "none", binary: binary || "none" };
}

export async function probe({ host }: StepContext, given: Args, means: Means): Promise<Probe> {
  const folder = await deployFolder(host, given.digest);
  const still = folder === undefined ? [] : await workingIn(folder);
  if (still.length > 0)
    return { state: "unknown", failure: failure("kwdb.upgrade-still-running", { pids: still.join(", ") }) };
  const found = await look(host, means);
  return isDone(found, given.version) ? { state: "done", outputs: { ...found } } : { state: "not-done" };
}

async function upgrade(context: StepContext, given: Args, means: Means): Promise<StepResult> {
  const { host } = context;
  const folder = await deployFolder(host, given.digest);
  if (folder === undefined) return failed("kwdb.package-without-script", { digest: given.digest });
  const why = await whyNotNow(host, means, folder);
  if (why !== undefined) return failedBy(why);
  // as the agent itself, whose folder this is; the script gets what it needs by sudo, which `kwdb.sudo` has asked
  const ran = await context.tool({ argv: ["./deploy.sh", "upgrade", "-l"], cwd: folder });
  const found = await look(host, means);
  const exitCode = String(ran.exitCode ?? "none");
  if (isDone(found, given.version)) return done({ ...found, exitCode }, ran.tail);
  const facts = { ...notDone(found, given.version), cause: causeIn(ran.tail), exitCode };
  return failed("kwdb.upgrade-not-done", facts, ran.tail);
}

/** The script does not refuse a running cluster node, and does not notice another installation. */
export async function whyNotNow(host: Host, means: Means, folder: string): Promise<Failure | undefined> {
  const state = await (await installationOn(host, means)).service();
  if (!state.ok) return state.failure;
  if (!isDown(state.value))
    return failure("kwdb.upgrade-of-running", { mainPid: String(state.value.mainPid) });
  const ours = new Set(await workingIn(folder));
  const foreign = await foreignInstallers(host);
  const others = foreign.ok ? foreign.value.filter((each) => !ours.has(each.split(" ")[0] ?? "")) : [];
  return others.length === 0 ? undefined : failure("kwdb.foreign-installer", { found: others.join(", ") });
}

/** `Pipe create failed:` is how the script reports a failed package installation. */
export function causeIn(tail: string): string {
  const lines = tail
    .split(/[\r\n]+/)
    .map((line) => stripVTControlCharacters(line).trim())
    .filter((line) => line !== "");
  const error =
    lines.findLast((line) => /\[ERROR\]|dpkg: error|rpm:|No space left/.test(line)) ??
    lines.at(-1) ??
    "it said nothing";
  const text = error.replace(/^.*\[ERROR\]\s*(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)?\s*/, "");
  return text.startsWith("Pipe create failed:")
    ? `package installation failed: ${text.slice("Pipe create failed:".length).trim()}`
    : text;
}
