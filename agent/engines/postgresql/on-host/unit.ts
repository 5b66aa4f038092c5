/** The servers' systemd units: properties by `systemctl show`, orders as tools of a step. */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
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

const lookMs = 10_000;
const properties = "LoadState,ActiveState,MainPID,UnitFileState";

/** Refused: `postgresql.unit-unknown`. */
export async function readUnit(host: Host, unit: string): Promise<Outcome<UnitStanding>> {
  const look = await host.look(["systemctl", "show", "-p", properties, unit], { deadlineMs: lookMs });
  const found = look.exitCode === 0 ? standingIn(look.stdout) : undefined;
  if (found !== undefined) return succeed(found);
  const cause = look.spawnError ?? (look.stderr.trim() || "systemctl told no MainPID");
  return fail("postgresql.unit-unknown", { unit, cause });
}

/** Undefined without a MainPID: an empty one is no zero, which would be a proof that nothing runs. */
export function standingIn(text: string): UnitStanding | undefined {
  const found = new Map(
    text.split("\n").flatMap((line) => {
      const at = line.indexOf("=");
      return at === -1 ? [] : [[line.slice(0, at), line.slice(at + 1)] as const];
    }),
  );
  const pid = found.get("MainPID") ?? "";
  if (!/^\d+$/.test(pid)) return undefined;
  return {
    load: found.get("LoadState") ?? "unknown",
    active: found.get("ActiveState") ?? "unknown",
    mainPid: Number(pid),
    file: found.get("UnitFileState") ?? "unknown",
  };
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
