/**
 * COMPRESS and RETENTION: they may fail on the node in work, and one good run of each afterwards says that all is
 * as it was. A report and no gate: their periods are long, and not ours.
 */
import { z } from "zod";
import type { Outcome } from "#proto/common/failure.ts";
import { succeed } from "#proto/common/failure.ts";
import type { Job } from "#proto/engines/kwdb.ts";
import { done } from "../../outcome.ts";
import { type Host, type StepResult, type Verb, verb } from "../../verb.ts";
import { milliseconds } from "./args.ts";
import { openClient } from "./client.ts";
import type { Means } from "./installation.ts";
import { installationOn } from "./installed.ts";
import { nodeStatus } from "./node-status.ts";
import { keepingJobs, readJobs } from "./questions.ts";

const pollMs = 5_000;
const types = ["COMPRESS", "RETENTION"] as const;

export interface KeepingWord {
  readonly isSettled: boolean;
  readonly says: string;
}

/** What the jobs of one type say since an instant, as the database prints it; settled where waiting tells nothing. */
export function keepingWord(jobs: readonly Job[], type: string, since: string): KeepingWord {
  const ofType = jobs.filter((job) => job.type === type);
  if (ofType.length === 0) return { isSettled: true, says: "no such job is known" };
  const good = ofType.flatMap(successOf).filter((at) => at.ms >= instant(since));
  const last = good.sort((left, right) => right.ms - left.ms)[0];
  if (last !== undefined) return { isSettled: true, says: `a good run at ${last.text}` };
  const error = ofType.find((job) => job.status === "failed" && job.error !== "")?.error;
  const why = error === undefined ? "" : `; last error: ${error.slice(0, 200)}`;
  return { isSettled: false, says: `no good run yet since ${since}${why}` };
}

function successOf({ status, finished, lastSuccess }: Job): { readonly text: string; readonly ms: number }[] {
  const text = lastSuccess ?? (status === "succeeded" ? finished : null);
  return text === null ? [] : [{ text, ms: instant(text) }];
}

/** `2026-01-01 00:00:00.5+00:00`; NaN for anything else, which is later than nothing. */
function instant(text: string): number {
  return Date.parse(text.replace(" ", "T"));
}

export function reportJobs(means: Means): Verb {
  return verb({
    name: "kwdb.report-jobs",
    class: "observe",
    args: z.strictObject({ waitMs: milliseconds }),
    async run({ host, signal }, { waitMs }): Promise<StepResult> {
      const endMs = host.clock.monotonicMs() + waitMs;
      for (;;) {
        const found = await look(host, means);
        const words = found.ok ? found.value : undefined;
        const told =
          words ?? types.map((type) => [type, { isSettled: false, says: "it could not be asked" }] as const);
        const isOver = host.clock.monotonicMs() >= endMs || signal.aborted;
        if (isOver || told.every(([, { isSettled }]) => isSettled)) {
          return done(Object.fromEntries(told.map(([type, word]) => [nameOf(type, word), word.says])));
        }
        await host.clock.sleep(pollMs, signal).catch(() => undefined);
      }
    },
  });
}

/** The coordinator tells outputs of such a name at the rollout's end. */
function nameOf(type: string, { isSettled }: KeepingWord): string {
  return isSettled ? type : `not-seen.${type}`;
}

/** Since the last node of the cluster was started. */
async function look(host: Host, means: Means): Promise<Outcome<readonly (readonly [string, KeepingWord])[]>> {
  const client = await openClient(await installationOn(host, means));
  if (!client.ok) return client;
  const [status, [answer]] = await Promise.all([nodeStatus(client.value), client.value.ask([keepingJobs])]);
  if (!status.ok) return status;
  if (answer === undefined || !answer.ok) return answer ?? succeed([]);
  const jobs = readJobs(answer.value);
  if (!jobs.ok) return jobs;
  const since =
    status.value
      .map(({ startedAt }) => startedAt ?? "")
      .sort()
      .at(-1) ?? "";
  return succeed(types.map((type) => [type, keepingWord(jobs.value, type, since)] as const));
}
