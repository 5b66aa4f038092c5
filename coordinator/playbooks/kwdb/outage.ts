/** How long a node is away, by the limits of what is done meanwhile. */
import type { Failure } from "#proto/common/failure.ts";
import { known, whyUnknown } from "#proto/common/measured.ts";
import type { KwdbFull } from "#proto/engines/kwdb.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import { fullOf, nodeNames } from "./facts.ts";
import { settingsOf } from "./settings.ts";

type Known = Pick<PlaybookInput, "cluster" | "reports">;

/** Stop, package installation, start and rejoin of one node, generously. */
const changeMs = 15 * 60_000;
/** What an ordinary disk does in a second, carefully: where it was not measured and only an idea is asked for. */
const ordinaryBytesPerSecond = 50 * 1024 ** 2;
/** It is written and hashed once when it is made, and once more when it is proven. */
const passes = 2;

export type Outage = { readonly ms: number } | { readonly unknown: Failure };

/** Of the node that is away longest, with its archive where one is made and how long that takes was measured. */
export function outageOf({ cluster, reports }: Known): Outage {
  const settings = settingsOf(cluster);
  if (!settings.ok || !settings.value.archiveData) return { ms: changeMs };
  const times = nodeNames(cluster).map((name) => archiveTime(fullOf(reports[name])));
  const unknown = times.find((time) => "unknown" in time);
  if (unknown !== undefined) return unknown;
  return { ms: changeMs + Math.max(0, ...times.map((time) => ("ms" in time ? time.ms : 0))) };
}

/** The longer of making and proving it: each has a deadline of its own. */
export function archiveStepTime(facts: KwdbFull | undefined): Outage {
  const time = archiveTime(facts);
  return "ms" in time ? { ms: Math.ceil(time.ms / passes) } : time;
}

function archiveTime(facts: KwdbFull | undefined): Outage {
  const data = known(facts?.archive);
  const rate = known(facts?.archiveRate);
  // a node without a report, or without a folder for archives, is refused by a check of its own
  if (facts === undefined || "notApplicable" in facts.archive) return { ms: 0 };
  if (data === undefined || rate === undefined || rate.bytesPerSecond <= 0)
    return {
      unknown: whyUnknown(facts.archive) ??
        whyUnknown(facts.archiveRate) ?? { code: "measure.never-taken", facts: {} },
    };
  return { ms: passesMs(data.dataBytes, rate.bytesPerSecond) };
}

/** The same as an idea: what was not measured is taken for ordinary. */
export function outageMs(input: Known): number {
  const outage = outageOf(input);
  if ("ms" in outage) return outage.ms;
  const bytes = nodeNames(input.cluster).map(
    (name) => known(fullOf(input.reports[name])?.archive)?.dataBytes ?? 0,
  );
  return changeMs + passesMs(Math.max(0, ...bytes), ordinaryBytesPerSecond);
}

function passesMs(bytes: number, bytesPerSecond: number): number {
  return Math.ceil((bytes * passes * 1_000) / bytesPerSecond);
}
