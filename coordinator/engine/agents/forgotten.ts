/**
 * Programs that hold their nodes for a rollout of which the store knows nothing, as after NATS has lost all of its
 * memory: no driver will ever prove and free them, and their agents take nothing else before.
 */
import type { CheckResult } from "../../domain/check.ts";
import type { UnfinishedReport } from "../../domain/lock.ts";
import type { RolloutEvent } from "../../domain/rollout/event.ts";
import type { Drivers } from "../drivers.ts";
import type { EventLog } from "../ports.ts";
import type { AgentReports } from "./agent-reports.ts";

export interface HeldProgram extends UnfinishedReport {
  readonly node: string;
  readonly cluster: string;
}

export interface ForgottenMeans {
  readonly reports: Pick<AgentReports, "unfinished">;
  readonly drivers: Pick<Drivers, "state">;
  readonly log: Pick<EventLog<RolloutEvent>, "read">;
}

export const unfinishedCheck = "node.unfinished";

/** Of these nodes, as their agents say now. One that still waits to enter has changed nothing and drops by itself. */
export async function forgottenPrograms(
  means: ForgottenMeans,
  nodes: readonly string[],
): Promise<readonly HeldProgram[]> {
  const held = nodes.flatMap((node) => {
    const program = means.reports.unfinished(node);
    return program === undefined || program.standing === "waiting" ? [] : [{ node, ...program }];
  });
  const found = await Promise.all(
    held.map(async (program) => ((await isForgotten(means, program)) ? [program] : [])),
  );
  return found.flat();
}

async function isForgotten({ drivers, log }: ForgottenMeans, { rollout }: HeldProgram): Promise<boolean> {
  return drivers.state(rollout) === undefined && (await log.read(rollout)).length === 0;
}

/** A person may answer for what has ended; for what still runs nobody can. */
export function checkOf({ node, cluster, rollout, stage, epoch, standing }: HeldProgram): CheckResult {
  const facts = { cluster, node, rollout, stage, epoch: String(epoch) };
  return standing === "ended"
    ? { id: unfinishedCheck, node, status: "unknown", facts, yields: "acknowledge" }
    : { id: unfinishedCheck, node, status: "ko", facts, yields: "never" };
}
