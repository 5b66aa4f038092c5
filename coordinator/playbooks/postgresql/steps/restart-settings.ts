/** Steps that bring settings into force which need a restart, and the one that writes back what was. */
import type { PlanStep } from "../../../domain/plan.ts";
import { call, minute, step } from "../step.ts";
import type { Of } from "./of.ts";

type Wanted = Readonly<Record<string, string>>;

export function writeSettings(wanted: Wanted, isPatroni: boolean): PlanStep {
  const pairs = Object.entries(wanted);
  const typed = isPatroni
    ? `patronictl edit-config ${pairs.map(([name, value]) => `-p ${name}=${value}`).join(" ")}`
    : pairs.map(([name, value]) => `ALTER SYSTEM SET ${name} = ${value}`).join("; ");
  return step("write-settings", { settings: JSON.stringify(wanted) }, typed, {
    class: "reversible",
    undo: call("restore-settings"),
  });
}

export function restartServer(wanted: Wanted, command: string): PlanStep {
  const shown = `${command}; then the settings are measured`;
  return step("restart-server", { settings: JSON.stringify(wanted) }, shown, {
    class: "reversible",
    deadlineMs: 10 * minute,
  });
}

export function restoreSettings(of: Of): PlanStep {
  return step(
    "restore-settings",
    { ...of },
    "what was written before; in force with the server's next restart",
    {
      class: "reversible",
    },
  );
}
