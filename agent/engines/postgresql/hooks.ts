/** Commands of the operator's own, as the agent's file names them: the pooler's pause, the way of the traffic. */

import { z } from "zod";
import { done } from "../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { resultOf, stop } from "./desk.ts";
import type { Means, PostgresqlSettings } from "./settings.ts";

/** Those that a step calls. */
type Hook = Exclude<keyof PostgresqlSettings["hooks"], "proveBackup">;

const hook = z.enum(["pausePooler", "resumePooler", "switchTraffic", "switchTrafficBack"]);

export function hookVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.call-hook",
      class: "reversible",
      args: z.strictObject({ hook }),
      run: (context, args) => resultOf(() => call(context, means, args.hook)),
      // what a command of the operator's own has done cannot be seen from here; it must bear to be called twice
      probe: () => Promise.resolve({ state: "not-done" }),
    }),
  ];
}

async function call(context: StepContext, { settings }: Means, name: Hook): Promise<StepResult> {
  const argv = settings.hooks[name];
  if (argv === undefined) return done({ found: `no ${name} in the agent's file` });
  const ran = await context.tool({ argv: argv as unknown as readonly [string, ...string[]] });
  if (ran.exitCode !== 0)
    stop("postgresql.hook-failed", { hook: name, exitCode: String(ran.exitCode ?? "none") });
  return done({ hook: name });
}
