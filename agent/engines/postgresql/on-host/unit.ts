/** The servers' systemd units: how they stand, and orders as tools of a step. */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import { showUnit } from "../../../host/service-unit.ts";
import type { Host, StepContext } from "../../../verb.ts";
import { stop } from "../desk.ts";

export interface UnitStanding {
  /** loaded, masked, not-found. */
  readonly load: string;
  readonly active: string;
  readonly mainPid: number;
  /** enabled, enabled-runtime, disabled, static, masked … */
  readonly file: string;
}

/** Refused: `postgresql.unit-unknown`. */
export async function readUnit(host: Host, unit: string): Promise<Outcome<UnitStanding>> {
  const shown = await showUnit(host, unit, ["LoadState", "ActiveState", "UnitFileState"]);
  if ("cause" in shown) return fail("postgresql.unit-unknown", { unit, cause: shown.cause });
  const { properties, mainPid } = shown;
  return succeed({
    load: properties["LoadState"] ?? "unknown",
    active: properties["ActiveState"] ?? "unknown",
    mainPid,
    file: properties["UnitFileState"] ?? "unknown",
  });
}

export function isDown({ active, mainPid }: UnitStanding): boolean {
  return mainPid === 0 && (active === "inactive" || active === "failed");
}

/** Ends the step where systemd refuses; what came of it is looked at by the step itself. */
export async function order(context: StepContext, ...words: readonly [string, ...string[]]): Promise<void> {
  const ran = await context.tool({ argv: ["systemctl", ...words] });
  if (ran.exitCode !== 0)
    stop("postgresql.unit-refused", {
      order: words.join(" "),
      cause: ran.tail.trim().split("\n").slice(-3).join("; ") || `exit code ${ran.exitCode ?? "none"}`,
    });
}
