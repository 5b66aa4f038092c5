/** Whether the unit that the agent's file names is that of the server it speaks with: another one's stop would end another server. */
import type { StepContext } from "../../../verb.ts";
import { must, stop } from "../desk.ts";
import { postmasterIn } from "./control.ts";
import { readUnit } from "./unit.ts";

/**
 * Throws FailureError `postgresql.unit-of-another` where the unit's main process is not the postmaster of this folder: a unit above
 * several servers has none, and a server that was started by hand belongs to none.
 */
export async function mustBeUnitOf(
  { host }: StepContext,
  { unit, data }: { readonly unit: string; readonly data: string },
): Promise<void> {
  const pid = await postmasterIn(host, data);
  const { mainPid } = must(await readUnit(host, unit));
  if (pid === 0 || pid !== mainPid)
    stop("postgresql.unit-of-another", { unit, data, mainPid: shown(mainPid), pid: shown(pid) });
}

function shown(pid: number): string {
  return pid === 0 ? "none" : String(pid);
}
