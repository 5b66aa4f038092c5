/**
 * `server.time_until_store_dead`: a node that is away for longer is given up, and its replicas are made anew elsewhere.
 * Where a node will be away for longer, the setting may be raised for that time, if the cluster's entry says so.
 */
import { known } from "#proto/common/measured.ts";
import { intervalMs } from "#proto/engines/kwdb-interval.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import { fullOf, nodeNames } from "./facts.ts";
import { outageOf } from "./outage.ts";
import { settingsOf } from "./settings.ts";

export const storeDead = "server.time_until_store_dead";

/** In coarse steps: the time that an archive takes is an estimate, and moves a little with each look. */
const hours = [1, 2, 3, 6, 12, 24, 48];
const hourMs = 60 * 60_000;
const margin = 1.5;

export interface Raise {
  /** As it is written into SQL. */
  readonly to: string;
  /** What the nodes show before. */
  readonly was: string;
}

/** Undefined where the entry does not allow it, where it is not needed, and where not even two days are enough. */
export function raiseOf(input: Pick<PlaybookInput, "cluster" | "reports">): Raise | undefined {
  const settings = settingsOf(input.cluster);
  const outage = outageOf(input);
  if (!settings.ok || !settings.value.raiseStoreDead || !("ms" in outage)) return undefined;
  const shown = nodeNames(input.cluster).map(
    (name) => known(fullOf(input.reports[name])?.settings)?.[storeDead],
  );
  const limits = shown.map((text) => intervalMs(text ?? ""));
  const [was] = shown;
  if (was === undefined || limits.some((limit) => limit === undefined)) return undefined;
  if (limits.every((limit) => (limit ?? 0) > outage.ms)) return undefined;
  const enough = hours.find((each) => each * hourMs > outage.ms * margin);
  return enough === undefined ? undefined : { to: `${enough}h`, was };
}
