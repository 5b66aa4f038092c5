/** The database's systemd unit. */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import { showUnit } from "../../host/service-unit.ts";
import type { Host } from "../../verb.ts";

export interface UnitState {
  readonly loaded: boolean;
  readonly active: string;
  readonly sub: string;
  readonly mainPid: number;
  readonly needsReload: boolean;
}

/** Refused: `kwdb.unit-unknown`. */
export async function readUnit(host: Host, unit: string): Promise<Outcome<UnitState>> {
  const shown = await showUnit(host, unit, ["LoadState", "ActiveState", "SubState", "NeedDaemonReload"]);
  if ("cause" in shown) return fail("kwdb.unit-unknown", { unit, cause: shown.cause });
  const { properties, mainPid } = shown;
  return succeed({
    loaded: properties["LoadState"] === "loaded",
    active: properties["ActiveState"] ?? "unknown",
    sub: properties["SubState"] ?? "unknown",
    mainPid,
    needsReload: properties["NeedDaemonReload"] === "yes",
  });
}
