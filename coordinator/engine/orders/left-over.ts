/** What earlier rollouts have left, and a person has to answer for. */
import type { CheckResult } from "../../domain/check.ts";
import { brokenBy } from "../../domain/lock.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import { checkOf } from "../agents/forgotten.ts";
import type { PlanningMeans } from "./preparing.ts";

export async function leftOver(means: PlanningMeans, input: PlaybookInput): Promise<readonly CheckResult[]> {
  const clusters = [input.cluster, ...(input.into === undefined ? [] : [input.into.cluster])];
  const nodes = clusters.flatMap((cluster) => cluster.nodes.map(({ name }) => name));
  const [breaks, held] = await Promise.all([brokenLocks(means, input), means.forgotten(nodes)]);
  return [...breaks, ...held.map(checkOf)];
}

/** A node whose lock was broken is not known to be well: a person has to say so. */
async function brokenLocks(
  means: PlanningMeans,
  { cluster, into }: PlaybookInput,
): Promise<readonly CheckResult[]> {
  const names = [cluster.name, ...(into === undefined ? [] : [into.cluster.name])];
  const found = await Promise.all(
    names.map(async (name) => {
      const note = await means.broken(name);
      return note === undefined ? [] : [brokenBy(name, note).facts];
    }),
  );
  return found.flat().map((facts): CheckResult => {
    return { id: "lock.broken", status: "unknown", facts, yields: "acknowledge" };
  });
}
