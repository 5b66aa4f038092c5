/** Verbs around the service: drain, stop, prove it stopped, reload, start. Exit codes are hints; MainPID is read. */
import { z } from "zod";
import { type Failure, failure } from "#proto/common/failure.ts";
import { type Host, type Probe, type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { milliseconds, nothing } from "./args.ts";
import { openClient, readMode } from "./client.ts";
import { isListening, isReady, markedNodes } from "./looks.ts";
import { ownRow } from "./node-status.ts";
import { done, failed, failedBy } from "./outcome.ts";
import { paths } from "./paths.ts";
import { serversOf } from "./processes.ts";
import type { KwdbSettings } from "./settings.ts";
import { readUnit, type UnitState } from "./unit.ts";

const settleMs = 15_000;
const pollMs = 200;

export function serviceVerbs({ unit }: KwdbSettings): readonly Verb[] {
  return [
    verb({
      name: "kwdb.drain",
      class: "reversible",
      args: z.strictObject({ waitMs: milliseconds }),
      run: drain,
      probe: probeUnit(unit, async ({ mainPid }, context) => mainPid === 0 || (await servesNobody(context))),
    }),
    ordered(unit, "stop", async ({ mainPid }) => mainPid === 0),
    ordered(unit, "start", async ({ mainPid }) => mainPid !== 0),
    // the mark of a drain goes only when the node starts anew
    ordered(
      unit,
      "restart",
      async ({ mainPid }, { host }) => mainPid !== 0 && (await isDraining(host)) === false,
    ),
    verb({
      name: "kwdb.prove-stopped",
      class: "observe",
      args: nothing,
      run: ({ host }) => proveStopped(host, unit),
    }),
    reloadUnits(unit),
  ];
}

type IsSo = (state: UnitState, context: StepContext) => Promise<boolean>;

function probeUnit(unit: string, isSo: IsSo) {
  return async (context: StepContext): Promise<Probe> => {
    const state = await readUnit(context.host, unit);
    if (!state.ok) return { state: "unknown", failure: state.failure };
    return (await isSo(state.value, context)) ? { state: "done", outputs: {} } : { state: "not-done" };
  };
}

function ordered(unit: string, order: "start" | "stop" | "restart", isSo: IsSo): Verb {
  return verb({
    name: `kwdb.${order}`,
    class: "reversible",
    args: nothing,
    async run({ host, tool }): Promise<StepResult> {
      const ran = await tool({ argv: ["systemctl", order, unit] });
      const why = await whyNotSettled(host, unit, order !== "stop");
      return why === undefined ? done({ exitCode: String(ran.exitCode ?? "") }) : failedBy(why, ran.tail);
    },
    probe: probeUnit(unit, isSo),
  });
}

async function whyNotSettled(host: Host, unit: string, running: boolean): Promise<Failure | undefined> {
  const { clock } = host;
  for (const endMs = clock.monotonicMs() + settleMs; ; await clock.sleep(pollMs)) {
    const state = await readUnit(host, unit);
    if (state.ok && (state.value.mainPid !== 0) === running) return undefined;
    // the unit has no Restart: one that has failed will not come
    const isFinal = state.ok && running && state.value.active === "failed";
    if (!isFinal && clock.monotonicMs() < endMs) continue;
    if (!state.ok) return state.failure;
    return failure(
      running ? "kwdb.service-not-started" : "kwdb.service-not-stopped",
      toldOf(unit, state.value),
    );
  }
}

function toldOf(unit: string, { active, sub, mainPid }: UnitState): Failure["facts"] {
  return { unit, active, sub, mainPid: String(mainPid) };
}

/** A plain stop very likely cuts clients off: the unit's own stop sends two signals, and the second is a hard one. */
async function drain(
  { host, tool }: StepContext,
  { waitMs }: { readonly waitMs: number },
): Promise<StepResult> {
  const client = await openClient(host);
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
async function servesNobody({ host, begunBefore }: StepContext): Promise<boolean> {
  if (begunBefore === "nothing") return false;
  const ready = await isReady(host);
  return ready.ok && !ready.value;
}

/** undefined where it cannot be asked. */
async function isDraining(host: Host): Promise<boolean | undefined> {
  const client = await openClient(host);
  if (!client.ok) return undefined;
  const rows = await markedNodes(client.value);
  return rows.ok ? ownRow(rows.value, client.value.mode)?.draining : undefined;
}

async function proveStopped(host: Host, unit: string): Promise<StepResult> {
  const state = await readUnit(host, unit);
  if (!state.ok) return failedBy(state.failure);
  if (state.value.mainPid !== 0) return failed("kwdb.service-not-stopped", toldOf(unit, state.value));
  const left = await serversOf(host.path(paths.binary));
  if (left.length > 0) return failed("kwdb.process-left", { pids: left.join(", ") });
  const mode = await readMode(host);
  if (!mode.ok) return failedBy(mode.failure);
  const { sqlPort } = mode.value;
  return (await isListening(sqlPort)) ? failed("kwdb.port-open", { port: String(sqlPort) }) : done();
}

function reloadUnits(unit: string): Verb {
  return verb({
    name: "kwdb.reload-units",
    class: "reversible",
    args: nothing,
    async run({ host, tool }): Promise<StepResult> {
      const ran = await tool({ argv: ["systemctl", "daemon-reload"] });
      const state = await readUnit(host, unit);
      if (!state.ok) return failedBy(state.failure);
      return state.value.needsReload
        ? failed("kwdb.unit-needs-reload", { node: "this node" }, ran.tail)
        : done();
    },
    probe: probeUnit(unit, async ({ needsReload }) => !needsReload),
  });
}
