/** Verbs around the service: drain, stop, prove it stopped, reload, start. Exit codes are hints; MainPID is read. */
import { z } from "zod";
import { type Failure, failure } from "#proto/common/failure.ts";
import { done, failed, failedBy } from "../../outcome.ts";
import { type Probe, type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { milliseconds, nothing } from "./args.ts";
import { openClient } from "./client.ts";
import { type Installation, isDown, type Means, type Order, type ServiceState } from "./installation.ts";
import { installationOn } from "./installed.ts";
import { isListening, isReady, markedNodes } from "./looks.ts";
import { ownRow } from "./node-status.ts";

const settleMs = 15_000;
const pollMs = 200;

export function serviceVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "kwdb.drain",
      class: "reversible",
      args: z.strictObject({ waitMs: milliseconds }),
      run: (context, args) => drain(context, args, means),
      probe: probeService(means, async (state, here, context) =>
        state.mainPid === 0 ? true : servesNobody(here, context),
      ),
    }),
    ordered(means, "stop", async (state) => isDown(state)),
    ordered(means, "start", async ({ mainPid }) => mainPid !== 0),
    // the mark of a drain goes only when the node starts anew
    ordered(
      means,
      "restart",
      async ({ mainPid }, here) => mainPid !== 0 && (await isDraining(here)) === false,
    ),
    verb({
      name: "kwdb.prove-stopped",
      class: "observe",
      args: nothing,
      run: async ({ host }) => proveStopped(await installationOn(host, means)),
    }),
    reloadUnits(means),
  ];
}

type IsSo = (state: ServiceState, here: Installation, context: StepContext) => Promise<boolean>;

function probeService(means: Means, isSo: IsSo) {
  return async (context: StepContext): Promise<Probe> => {
    const here = await installationOn(context.host, means);
    const state = await here.service();
    if (!state.ok) return { state: "unknown", failure: state.failure };
    return (await isSo(state.value, here, context)) ? { state: "done", outputs: {} } : { state: "not-done" };
  };
}

function ordered(means: Means, order: Order, isSo: IsSo): Verb {
  return verb({
    name: `kwdb.${order}`,
    class: "reversible",
    args: nothing,
    async run({ host, tool }): Promise<StepResult> {
      const here = await installationOn(host, means);
      const ran = await tool(await here.order(order));
      const why = await whyNotSettled(here, order !== "stop");
      return why === undefined ? done({ exitCode: String(ran.exitCode ?? "") }) : failedBy(why, ran.tail);
    },
    probe: probeService(means, isSo),
  });
}

async function whyNotSettled(here: Installation, running: boolean): Promise<Failure | undefined> {
  const { clock } = here.host;
  for (const endMs = clock.monotonicMs() + settleMs; ; await clock.sleep(pollMs)) {
    const state = await here.service();
    if (state.ok && (running ? state.value.mainPid !== 0 : isDown(state.value))) return undefined;
    // the unit has no Restart: one that has failed will not come
    const isFinal = state.ok && running && state.value.active === "failed";
    if (!isFinal && clock.monotonicMs() < endMs) continue;
    if (!state.ok) return state.failure;
    const end = running ? await here.end?.() : undefined;
    if (end !== undefined) return failure("kwdb.container-not-started", end);
    return failure(
      running ? "kwdb.service-not-started" : "kwdb.service-not-stopped",
      toldOf(here, state.value),
    );
  }
}

function toldOf({ unit, form }: Installation, { active, sub, mainPid }: ServiceState): Failure["facts"] {
  return { unit: unit ?? form, active, sub, mainPid: String(mainPid) };
}

/** A plain stop very likely cuts clients off: the unit's own stop sends two signals, and the second is a hard one. */
async function drain(
  { host, tool }: StepContext,
  { waitMs }: { readonly waitMs: number },
  means: Means,
): Promise<StepResult> {
  const client = await openClient(await installationOn(host, means));
  if (!client.ok) return failedBy(client.failure);
  const seconds = Math.max(1, Math.floor(waitMs / 1_000));
  const ran = await tool(client.value.command(["node", "drain", `--drain-wait=${seconds}s`]));
  if (ran.exitCode === 0) return done({}, ran.tail);
  const code = /drain timeout/.test(ran.tail) ? "kwdb.drain-timeout" : "kwdb.drain-failed";
  return failed(code, { seconds: String(seconds) }, ran.tail);
}

/**
 * The mark of a drain stands from its beginning on, and a drained node answers no SQL: only draining once more, which
 * is harmless, waits for the end. A node that an earlier try has changed and that serves nobody has nobody to lose.
 */
async function servesNobody(here: Installation, { begunBefore }: StepContext): Promise<boolean> {
  if (begunBefore === "nothing") return false;
  const ready = await isReady(here);
  return ready.ok && !ready.value;
}

/** undefined where it cannot be asked. */
async function isDraining(here: Installation): Promise<boolean | undefined> {
  const client = await openClient(here);
  if (!client.ok) return undefined;
  const rows = await markedNodes(client.value);
  return rows.ok ? ownRow(rows.value, client.value.mode)?.draining : undefined;
}

async function proveStopped(here: Installation): Promise<StepResult> {
  const state = await here.service();
  if (!state.ok) return failedBy(state.failure);
  if (!isDown(state.value)) return failed("kwdb.service-not-stopped", toldOf(here, state.value));
  const left = await here.leftOvers();
  if (left.length > 0) return failed("kwdb.process-left", { pids: left.join(", ") });
  const mode = await here.mode();
  if (!mode.ok) return failedBy(mode.failure);
  const { sqlPort, sqlHost } = mode.value;
  return (await isListening(sqlPort, sqlHost)) ? failed("kwdb.port-open", { port: String(sqlPort) }) : done();
}

function reloadUnits(means: Means): Verb {
  return verb({
    name: "kwdb.reload-units",
    class: "reversible",
    args: nothing,
    async run({ host, tool }): Promise<StepResult> {
      const here = await installationOn(host, means);
      const ran = await tool({ argv: ["systemctl", "daemon-reload"] });
      const state = await here.service();
      if (!state.ok) return failedBy(state.failure);
      return state.value.needsReload
        ? failed("kwdb.unit-needs-reload", { node: "this node" }, ran.tail)
        : done();
    },
    probe: probeService(means, async ({ needsReload }) => !needsReload),
  });
}
