/** What the coordinator knows of a cluster at this moment: full reports from all its nodes, asked in parallel. */
import type { Clock } from "#proto/common/clock.ts";
import { known, type Measured } from "#proto/common/measured.ts";
import type { NodeReport } from "#proto/common/report.ts";
import { Depth } from "#proto/gen/lockkeeper/v1/health_pb.ts";
import type { ClusterEntry } from "../../domain/inventory.ts";
import type { PlaybookInput, Wish } from "../../domain/playbook.ts";
import type { NodeInput } from "../../domain/snapshot/snapshot.ts";
import type { Fleet } from "../ports.ts";

export interface SurveyedFleet extends Fleet {
  clockOffset(node: string): { readonly offsetMs: number; readonly errorMs: number } | undefined;
}

/** A full report looks at the disk and asks the database several questions. */
const fullLimitMs = 30_000;

export type Survey = Readonly<Record<string, Measured<NodeReport>>>;

export async function surveyCluster(fleet: Fleet, clock: Clock, cluster: ClusterEntry): Promise<Survey> {
  const taken = await Promise.all(
    cluster.nodes.map(async ({ name }): Promise<readonly [string, Measured<NodeReport>]> => {
      const report = await fleet.takeReport(name, Depth.FULL, fullLimitMs);
      const at = new Date(clock.now()).toISOString();
      return [name, report.ok ? { at, value: report.value } : { at, unknown: report.failure }];
    }),
  );
  return Object.fromEntries(taken);
}

export function playbookInput(
  fleet: SurveyedFleet,
  clock: Clock,
  cluster: ClusterEntry,
  wish: Wish,
  survey: Survey,
): PlaybookInput {
  const names = cluster.nodes.map(({ name }) => name);
  return {
    cluster,
    wish,
    nowMs: clock.now(),
    reports: Object.fromEntries(names.map((name) => [name, known(survey[name])])),
    clockOffsets: Object.fromEntries(names.map((name) => [name, fleet.clockOffset(name)])),
  };
}

export function nodeInputs(
  fleet: SurveyedFleet,
  clock: Clock,
  survey: Survey,
): Readonly<Record<string, NodeInput>> {
  const at = new Date(clock.now()).toISOString();
  return Object.fromEntries(
    Object.entries(survey).map(([node, report]) => {
      const offset = fleet.clockOffset(node);
      const clockOffset =
        offset === undefined
          ? { at, unknown: { code: "measure.never-taken" as const, facts: { node } } }
          : { at, value: offset };
      return [node, { report, clockOffset }];
    }),
  );
}
