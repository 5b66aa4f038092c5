/**
 * What an online upgrade done by hand leaves behind, mended: `--upgrade-complete` in kaiwudb_env, the mark of an upgrade
 * that a node takes off only when it is started once with that flag, and `server.time_until_store_dead` at three hours.
 */
import { z } from "zod";
import { failure } from "#proto/common/failure.ts";
import { done, failedBy } from "../../outcome.ts";
import { type Probe, type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import type { Means } from "./installation.ts";
import { duration, isSame, setTo, whenAnswered, whyNotShown } from "./store-dead.ts";
import { flagVerbs } from "./upgrade-flag.ts";

const settingArgs = z.strictObject({
  to: duration,
  /** What it may be before: anything else was set by somebody meanwhile, and is theirs. */
  was: z
    .string()
    .transform((text) => text.split(","))
    .pipe(z.array(duration).min(1)),
});
type SettingArgs = z.infer<typeof settingArgs>;

export function mendingVerbs(means: Means): readonly Verb[] {
  return [
    ...flagVerbs(means),
    verb({
      name: "kwdb.set-store-dead",
      class: "reversible",
      args: settingArgs,
      run: (context, args) => setStoreDead(context, args, means),
      async probe(context, { to }): Promise<Probe> {
        const now = await whenAnswered(context, means);
        if (!now.ok) return { state: "unknown", failure: now.failure };
        return isSame(now.value.shown, to) ? { state: "done", outputs: {} } : { state: "not-done" };
      },
    }),
  ];
}

async function setStoreDead(
  context: StepContext,
  { to, was }: SettingArgs,
  means: Means,
): Promise<StepResult> {
  const now = await whenAnswered(context, means);
  if (!now.ok) return failedBy(now.failure);
  const { shown, client } = now.value;
  if (isSame(shown, to)) return done({ found: `it is ${shown}` });
  if (!was.some((each) => isSame(shown, each)))
    return failedBy(failure("kwdb.store-dead-of-somebody", { found: shown, wanted: was.join(" or ") }));
  const ran = await context.tool(client.command(["sql", "-e", setTo(to)]));
  const why = await whyNotShown(context, client, to);
  return why === undefined ? done({ was: shown, to }) : failedBy(why, ran.tail);
}
