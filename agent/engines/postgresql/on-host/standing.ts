/** What lives on the host of a server, by its unit and by its folder; and waiting until that is as it should be. */
import type { Host, StepContext } from "../../../verb.ts";
import { must, stop } from "../desk.ts";
import { postmasterIn } from "./control.ts";
import { isDown, readUnit } from "./unit.ts";

const settleMs = 60_000;
const pollMs = 250;

/** Both the unit and the folder: a server that was started by hand has no unit. */
export async function whatRuns(
  { host }: { readonly host: Host },
  { unit, data }: { readonly unit: string; readonly data: string },
): Promise<readonly string[]> {
  const standing = must(await readUnit(host, unit));
  const pid = await postmasterIn(host, data);
  return [
    ...(isDown(standing) ? [] : [`${unit} is ${standing.active} (${standing.mainPid})`]),
    ...(pid === 0 ? [] : [`process ${pid} in ${data}`]),
  ];
}

/** Until nothing is missing. Ends the step with the code, and with what is missing as its cause. */
export async function until(
  context: StepContext,
  whyNot: () => Promise<readonly string[]>,
  code: Parameters<typeof stop>[0],
  facts: Readonly<Record<string, string>>,
): Promise<void> {
  const { clock } = context.host;
  for (const endMs = clock.monotonicMs() + settleMs; ; ) {
    const why = await whyNot();
    if (why.length === 0) return;
    if (clock.monotonicMs() > endMs || context.signal.aborted)
      stop(code, { ...facts, cause: why.join("; ") });
    await clock.sleep(pollMs, context.signal).catch(() => undefined);
  }
}
