/** The database's systemd unit, by `systemctl show`: properties, never words made for people. */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Host } from "../../verb.ts";

export interface UnitState {
  readonly loaded: boolean;
  readonly active: string;
  readonly sub: string;
  readonly mainPid: number;
  readonly needsReload: boolean;
}

const lookMs = 10_000;
const properties = "LoadState,ActiveState,SubState,MainPID,NeedDaemonReload";

export async function readUnit(host: Host, unit: string): Promise<Outcome<UnitState>> {
  const look = await host.look(["systemctl", "show", "-p", properties, unit], { deadlineMs: lookMs });
  if (look.exitCode !== 0)
    return fail("kwdb.unit-unknown", {
      unit,
      cause: look.spawnError ?? (look.timedOut ? "systemctl did not answer" : look.stderr.trim()),
    });
  const found = new Map(
    look.stdout.split("\n").flatMap((line) => {
      const at = line.indexOf("=");
      return at === -1 ? [] : [[line.slice(0, at), line.slice(at + 1)] as const];
    }),
  );
  const told = found.get("MainPID") ?? "";
  // an empty one is no zero: that would be a proof that it is stopped
  if (!/^\d+$/.test(told)) return fail("kwdb.unit-unknown", { unit, cause: "systemctl told no MainPID" });
  return succeed({
    loaded: found.get("LoadState") === "loaded",
    active: found.get("ActiveState") ?? "unknown",
    sub: found.get("SubState") ?? "unknown",
    mainPid: Number(told),
    needsReload: found.get("NeedDaemonReload") === "yes",
  });
}
