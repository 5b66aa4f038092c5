/**
 * What was saved before a package change against what stands there after it. Nothing of an operator's own is lost
 * silently, and nothing is put back unasked: what is gone is told, with the place of the saved copy.
 */
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import type { Facts } from "#proto/common/failure.ts";
import { done } from "../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { label } from "./args.ts";
import { driftOf, type SavedFile } from "./drift.ts";
import { causeOf } from "./files.ts";
import type { Means } from "./installation.ts";
import { installationOn } from "./installed.ts";
import { namedAfter, originSchema, readJson } from "./origin.ts";

const told = "own-configuration";
/** Told at the end and in the history: enough to see what it is about, the saved copy has the rest. */
const toldChars = 1_500;
/** Rewritten by every package change. */
const always = /(^|\/)info\/\.version$/;

export function provingConfigurationVerb(means: Means): Verb {
  return verb({
    name: "kwdb.prove-configuration",
    class: "observe",
    args: z.strictObject({ label }),
    async run(context, args): Promise<StepResult> {
      const folder = join(context.host.stateDir, "saved", namedAfter(args.label, context));
      try {
        return done({ saved: folder, ...(await outputsOf(context, folder, means)) });
      } catch (error) {
        // the node is down: what cannot be compared is told, and is no reason to leave it so
        return done(unseen(`it could not be compared with the copy in ${folder}: ${causeOf(error)}`));
      }
    },
  });
}

function unseen(says: string): Facts {
  return { [`not-seen.${told}`]: says };
}

async function outputsOf({ host, rollout }: StepContext, folder: string, means: Means): Promise<Facts> {
  const origin = originSchema.safeParse(await readJson(join(folder, "origin.json"))).data;
  if (origin?.rollout !== rollout) return unseen(`there is no copy of this rollout in ${folder}`);
  const here = await installationOn(host, means);
  const files: SavedFile[] = [];
  for (const path of here.worthSaving) {
    const saved = join(folder, basename(path));
    const root = dirname(saved);
    for (const file of await filesBelow(saved)) {
      const name = file.slice(root.length + 1);
      if (always.test(name)) continue;
      const now = host.path(join(dirname(path), name));
      files.push({ name, before: await readFile(file, "latin1"), after: await textOf(now) });
    }
  }
  const { vendor, lost } = driftOf(files);
  const tail = `; as it was: ${folder}`;
  return {
    ...(vendor.length === 0 ? {} : { vendor: short(vendor) }),
    ...(lost.length === 0 ? {} : unseen(`gone or changed since the package change: ${short(lost)}${tail}`)),
  };
}

/** Every byte has its character, so that files which are no text can be compared, too. */
async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "latin1");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

async function filesBelow(path: string): Promise<readonly string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function short(lines: readonly string[]): string {
  const text = Buffer.from(lines.join("; "), "latin1").toString("utf8");
  return text.length <= toldChars ? text : `${text.slice(0, toldChars)}…`;
}
