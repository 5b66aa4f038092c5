/** Looks on every server for what moves have left there, whatever rollout it was. */
import { fail, failure, type Outcome, succeed } from "#proto/common/failure.ts";
import { known, whyUnknown } from "#proto/common/measured.ts";
import type { ClusterEntry } from "../../domain/inventory.ts";
import { type LeftOversView, rolloutIn } from "../../domain/left-overs.ts";
import type { ApplicationMeans } from "./application-means.ts";
import { surveyCluster } from "./survey.ts";

type Means = Pick<ApplicationMeans, "inventory" | "fleet" | "clock" | "playbook">;

/** Of all clusters, or of one. Refused: `cluster.unknown`. */
export async function leftOvers(
  means: Means,
  open: readonly string[],
  cluster: string | undefined,
): Promise<Outcome<readonly LeftOversView[]>> {
  const entries = means.inventory.clusters().filter(({ name }) => cluster === undefined || name === cluster);
  if (cluster !== undefined && entries.length === 0) return fail("cluster.unknown", { cluster });
  return succeed(await Promise.all(entries.map((entry) => ofCluster(means, open, entry))));
}

async function ofCluster(
  { fleet, clock, playbook }: Means,
  open: readonly string[],
  entry: ClusterEntry,
): Promise<LeftOversView> {
  const { name: cluster, engine } = entry;
  const look = playbook(engine)?.leftOvers;
  if (look === undefined) return { cluster, engine, isApplicable: false, found: [], unknown: [] };
  const nodes = Object.entries(await surveyCluster(fleet, clock, entry)).map(([node, report]) => {
    const value = known(report);
    const measured = value === undefined ? undefined : look(value);
    const why = whyUnknown(report) ?? whyUnknown(measured);
    return { node, texts: known(measured), why: why ?? failure("node.no-report", { node }) };
  });
  return {
    cluster,
    engine,
    isApplicable: true,
    found: nodes.flatMap(({ node, texts = [] }) =>
      texts.map((found) => {
        const rollout = rolloutIn(found);
        return rollout === undefined
          ? { node, found, isOpen: false }
          : { node, found, rollout, isOpen: open.includes(rollout) };
      }),
    ),
    unknown: nodes.flatMap(({ node, texts, why }) => (texts === undefined ? [{ node, why }] : [])),
  };
}
