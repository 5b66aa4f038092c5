/** What is installed later lies unpacked in the agent's folder first, under its digest: whole, or not there. */
import { rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { type Failure, failure } from "#proto/common/failure.ts";
import { makeFolders } from "#proto/common/make-folders.ts";
import { done, failedBy } from "../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { digest, version } from "./args.ts";
import { manifestOf } from "./files.ts";
import { manifestText } from "./manifest.ts";
import { changedFile, keepPackage, packageFolder } from "./packages.ts";

const unpackMs = 10 * 60_000;

/** Why it is not what is wanted: `folder` has it below `tree`. */
type WhyNot = (folder: string) => Promise<Failure | undefined>;

/** Fetches by digest and unpacks; what stands there already and is whole is left as it is. */
export function stagingVerb(name: string, whyNot: WhyNot): Verb {
  return verb({
    name,
    class: "observe",
    args: z.strictObject({ digest, version }),
    async run(context, args): Promise<StepResult> {
      const { host } = context;
      const folder = packageFolder(host, args.digest);
      if ((await changedFile(host, args.digest)) === undefined) {
        await keepPackage(context, args.digest);
        return done({ folder, found: "staged before" });
      }
      const fetched = await context.fetchArtefact(args.digest);
      if ("failure" in fetched) return failedBy(fetched.failure);
      const why = await unpack(context, { archive: fetched.path, folder, whyNot });
      if (why !== undefined) return failedBy(why);
      await keepPackage(context, args.digest);
      return done({ folder });
    },
  });
}

/** Beside its place first: a folder under its digest is whole, or is not there. */
async function unpack(
  { host }: StepContext,
  { archive, folder, whyNot }: { readonly archive: string; readonly folder: string; readonly whyNot: WhyNot },
): Promise<Failure | undefined> {
  const beside = `${folder}.new`;
  const tree = join(beside, "tree");
  await rm(beside, { recursive: true, force: true });
  await makeFolders(tree, 0o700);
  const argv = ["tar", "-xf", archive, "-C", tree, "--no-same-owner"] as const;
  const look = await host.look(argv, { deadlineMs: unpackMs });
  const said = look.spawnError ?? (look.timedOut ? "tar did not end" : look.stderr.trim());
  const cause = said.split("\n").slice(-2).join(" ").slice(-300);
  const why = look.exitCode === 0 ? await whyNot(beside) : failure("kwdb.package-not-unpacked", { cause });
  if (why !== undefined) {
    await rm(beside, { recursive: true, force: true });
    return why;
  }
  await writeFile(join(beside, "manifest.json"), manifestText(await manifestOf(tree)));
  await rm(folder, { recursive: true, force: true });
  await makeFolders(dirname(folder), 0o755);
  await rename(beside, folder);
  return undefined;
}
