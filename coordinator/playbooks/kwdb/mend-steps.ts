/** The steps that mend what an online upgrade by hand has left. */
import { defaultStoreDead, leftStoreDead, secondsOf } from "./left-overs.ts";
import { minute, step } from "./step.ts";
import { storeDead } from "./store-dead.ts";

export const addFlagStep = step(
  "add-upgrade-flag",
  {},
  `KAIWUDB_START_ARG="--upgrade-complete …" in kaiwudb_env`,
  {
    class: "reversible",
    deadlineMs: minute,
    undo: { verb: "kwdb.clear-upgrade-flag", args: {} },
  },
);

export const clearFlagStep = step(
  "clear-upgrade-flag",
  {},
  "--upgrade-complete out of kaiwudb_env, all else as it is",
  { class: "reversible", deadlineMs: minute, mayStopAfter: true },
);

/** A start with the flag has set it to its default by then; else it is as it was found. */
export function setStoreDeadStep({ to, shown }: { readonly to: string; readonly shown: string | undefined }) {
  const was = [secondsOf(shown) ?? leftStoreDead, leftStoreDead, defaultStoreDead].join(",");
  return step("set-store-dead", { to, was }, `SET CLUSTER SETTING ${storeDead} = '${to}'`, {
    class: "reversible",
    deadlineMs: 5 * minute,
    mayStopAfter: true,
  });
}
