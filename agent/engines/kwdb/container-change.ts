/** What every verb that changes a container has in common: on a host without one it is refused, and its probe asks the engine. */
import type { z } from "zod";
import { fail, failure, type Outcome, succeed } from "#proto/common/failure.ts";
import { failed } from "../../outcome.ts";
import { type Probe, type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import type { ContainerInstallation } from "./container-installation.ts";
import type { Means } from "./installation.ts";
import { containerOn } from "./installed.ts";

export interface Deed<Args> {
  run(context: StepContext, args: Args, here: ContainerInstallation): Promise<StepResult>;
  /** undefined: it could be asked, and it is not so. */
  probe(context: StepContext, args: Args, here: ContainerInstallation): Promise<Outcome<boolean>>;
}

export function change<Args>(means: Means, name: string, args: z.ZodType<Args>, deed: Deed<Args>): Verb {
  return verb({
    name: `kwdb.${name}`,
    class: "reversible",
    args,
    async run(context, given): Promise<StepResult> {
      const here = await containerOn(context.host, means);
      return here === undefined ? failed("kwdb.no-container") : deed.run(context, given, here);
    },
    async probe(context, given): Promise<Probe> {
      const here = await containerOn(context.host, means);
      if (here === undefined) return { state: "unknown", failure: failure("kwdb.no-container", {}) };
      const found = await deed.probe(context, given, here);
      if (!found.ok) return { state: "unknown", failure: found.failure };
      return found.value ? { state: "done", outputs: {} } : { state: "not-done" };
    },
  });
}

export function not(found: Outcome<boolean>): Outcome<boolean> {
  return found.ok ? succeed(!found.value) : found;
}

/** The name of a container made by `docker run`. */
export function ownName({ name }: ContainerInstallation): Outcome<string> {
  if (!name.ok) return name;
  return name.value === undefined
    ? fail("kwdb.container-missing", { form: "docker-run" })
    : succeed(name.value);
}
