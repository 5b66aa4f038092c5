/** The steps that mend what an online upgrade by hand has left. */
import type { PlanStep } from "../../domain/plan.ts";
import { defaultStoreDead, leftStoreDead, secondsOf } from "./left-overs.ts";
import { minute, step } from "./step.ts";
import { storeDead } from "./store-dead.ts";

/** Those that deploy.sh starts: it leaves the flag where their start takes its words from. */
export type MendedForm = "script" | "compose-service";

export const flagFile = { script: "kaiwudb_env", "compose-service": "docker-compose.yml" } as const;

export function addFlagStep(form: MendedForm): PlanStep {
  const shown =
    form === "script"
      ? `KAIWUDB_START_ARG="--upgrade-complete …" in kaiwudb_env`
      : "kwbase start --upgrade-complete … in docker-compose.yml";
  return step("add-upgrade-flag", {}, shown, {
    class: "reversible",
    deadlineMs: minute,
    undo: { verb: "kwdb.clear-upgrade-flag", args: {} },
  });
}

export function clearFlagStep(form: MendedForm): PlanStep {
  return step("clear-upgrade-flag", {}, `--upgrade-complete out of ${flagFile[form]}, all else as it is`, {
    class: "reversible",
    deadlineMs: minute,
    mayStopAfter: true,
  });
}

/** A start with the flag has set it to its default by then; else it is as it was found. */
export function setStoreDeadStep({ to, shown }: { readonly to: string; readonly shown: string | undefined }) {
  const was = [secondsOf(shown) ?? leftStoreDead, leftStoreDead, defaultStoreDead].join(",");
  return step("set-store-dead", { to, was }, `SET CLUSTER SETTING ${storeDead} = '${to}'`, {
    class: "reversible",
    deadlineMs: 5 * minute,
    mayStopAfter: true,
  });
}
