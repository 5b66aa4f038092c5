/** Archives that are no longer needed, removed by a later rollout: by what they say of themselves, or not at all. */
import { z } from "zod";
import { done, failedBy } from "../../outcome.ts";
import { type StepResult, type Verb, verb } from "../../verb.ts";
import { sweepSpares } from "./archive-proof.ts";
import { type ArchiveRecord, archivesIn, type FoundArchive, removeArchive } from "./archive-record.ts";
import { name } from "./args.ts";
import { causeOf } from "./files.ts";
import type { Means } from "./installation.ts";

const args = z.strictObject({
  cluster: name,
  node: name,
  keep: z
    .string()
    .regex(/^[1-9]\d{0,2}$/)
    .transform(Number),
});
type Args = z.output<typeof args>;

type Identified = FoundArchive & { readonly record: ArchiveRecord };

/**
 * Of each kind those older than the newest `keep` proven ones of this node: the image of one node never replaces a part of
 * a cluster's backup. One of the present rollout stays, and so does one that
 * was never proven and is newer than those.
 */
export function tooOld(
  found: readonly FoundArchive[],
  { cluster, node, keep, rollout }: Args & { readonly rollout: string },
): readonly FoundArchive[] {
  const own = found
    .filter((each): each is Identified => each.record?.cluster === cluster && each.record.node === node)
    .sort((left, right) => (left.record.madeAt < right.record.madeAt ? 1 : -1));
  const proven = { "cluster-stop": 0, "node-image": 0 };
  return own.filter(({ record }) => {
    const isBeyond = proven[record.kind] >= keep && record.rollout !== rollout;
    if (record.proven !== null) proven[record.kind] += 1;
    return isBeyond;
  });
}

export function archiveRetentionVerb({ settings: { archiveDir: folder } }: Means): Verb {
  return verb({
    name: "kwdb.remove-old-archives",
    class: "observe",
    args,
    async run({ host, rollout }, given): Promise<StepResult> {
      if (folder === undefined) return done({ removed: "none: this agent's file names no archiveDir" });
      const found = await archivesIn(host, folder);
      if (!found.ok) return failedBy(found.failure);
      const removed: string[] = [];
      try {
        await sweepSpares(host, folder, given.node);
        for (const { path } of tooOld(found.value, { ...given, rollout })) {
          await removeArchive(host, path);
          removed.push(path);
        }
      } catch (error) {
        return done({
          removed: listOf(removed),
          "not-seen.old-archives": `not all removed: ${causeOf(error)}`,
        });
      }
      const strange = found.value.flatMap(({ path, record }) => (record === undefined ? [path] : []));
      return done({
        removed: listOf(removed),
        ...(strange.length === 0
          ? {}
          : { "left-alone": `${listOf(strange)}: they do not say whose they are` }),
      });
    },
  });
}

function listOf(paths: readonly string[]): string {
  return paths.length === 0 ? "none" : paths.join(", ");
}
