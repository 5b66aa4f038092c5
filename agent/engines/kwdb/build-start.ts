/** The kept start made with the new build. Where that fails, the commands of the way back are told: the data was kept. */
import { z } from "zod";
import { type Failure, failure } from "#proto/common/failure.ts";
import { done, failedBy } from "../../outcome.ts";
import { type Probe, type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { digest, version } from "./args.ts";
import { type Places, placesOf } from "./build-places.ts";
import { type Compiled, compiledOn } from "./compiled-installation.ts";
import type { Means } from "./installation.ts";

const args = z.strictObject({ digest, from: version });
type Args = z.infer<typeof args>;

/** A process that was forked is not yet one that stays. */
const staysMs = 5_000;
const appearsMs = 15_000;
const pollMs = 200;

export function buildStartVerb(means: Means): Verb {
  return verb({
    name: "kwdb.start-build",
    class: "irreversible",
    args,
    run: (context, given) => start(context, means, given),
    probe: (context) => probe(context, means),
  });
}

async function probe({ host }: StepContext, means: Means): Promise<Probe> {
  const here = await compiledOn(host, means);
  const state = here.ok ? await here.value.service() : here;
  if (!state.ok) return { state: "unknown", failure: state.failure };
  return state.value.mainPid === 0 ? { state: "not-done" } : { state: "done", outputs: {} };
}

async function start(context: StepContext, means: Means, given: Args): Promise<StepResult> {
  const here = await compiledOn(context.host, means);
  if (!here.ok) return failedBy(here.failure);
  const ran = await context.tool(await here.value.order("start"));
  const cause = await whyGone(here.value);
  if (cause === undefined) return done({ exitCode: String(ran.exitCode ?? "") });
  return failedBy(await notStarted(here.value, placesOf(here.value, given, context), cause), ran.tail);
}

async function whyGone({ host, service }: Compiled): Promise<string | undefined> {
  const { clock } = host;
  const beganMs = clock.monotonicMs();
  for (let sinceMs: number | undefined; ; await clock.sleep(pollMs)) {
    const state = await service();
    const nowMs = clock.monotonicMs();
    const pid = state.ok ? state.value.mainPid : 0;
    if (pid === 0 && sinceMs !== undefined) return "it ended by itself";
    if (pid !== 0) sinceMs ??= nowMs;
    if (sinceMs !== undefined && nowMs - sinceMs >= staysMs) return undefined;
    if (sinceMs === undefined && nowMs - beganMs >= appearsMs)
      return state.ok ? `${state.value.active}/${state.value.sub}` : state.failure.code;
  }
}

async function notStarted(here: Compiled, { folder, kept }: Places, cause: string): Promise<Failure> {
  const again = await here.start();
  const words = again.ok ? [here.host.path(here.binary), ...again.value.argv.slice(1)] : [];
  const order =
    here.unit === undefined
      ? `cd ${again.ok ? again.value.cwd : "…"} && nohup ${words.join(" ")} &`
      : `systemctl start ${here.unit}`;
  return failure("kwdb.build-not-started", {
    cause,
    commands: `mv ${folder} ${folder}.failed && mv ${kept} ${folder} && ${order}`,
  });
}
