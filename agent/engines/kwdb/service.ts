/** Verbs around the service: drain, stop, prove it stopped, reload, start. Exit codes are hints; MainPID is read. */
import { readdir, readFile } from "node:fs/promises";
import { z } from "zod";
import { type Failure, failure } from "#proto/common/failure.ts";
import { type Host, type Probe, type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { nodeRows, openClient, ownRow } from "./client.ts";
import { paths } from "./paths.ts";
import type { KwdbSettings } from "./settings.ts";
import { readUnit } from "./unit.ts";

const nothing = z.strictObject({});
const settleMs = 15_000;
const pollMs = 200;

export function serviceVerbs({ unit }: KwdbSettings): readonly Verb[] {
  const probeRunning =
    (wanted: boolean) =>
    async ({ host }: StepContext): Promise<Probe> => {
      const state = await readUnit(host, unit);
      if (!state.ok) return { state: "unknown", failure: state.failure };
      return (state.value.mainPid !== 0) === wanted ? { state: "done", outputs: {} } : { state: "not-done" };
    };
  const systemctl = async (
    context: StepContext,
    order: "start" | "stop" | "restart",
    running: boolean,
  ): Promise<StepResult> => {
    const ran = await context.tool({ argv: ["systemctl", order, unit] });
    const why = await whyNotSettled(context.host, unit, running);
    return why === undefined
      ? { result: "done", outputs: { exitCode: String(ran.exitCode ?? "") } }
      : { result: "failed", failure: why, tail: ran.tail };
  };
  return [
    verb({
      name: "kwdb.drain",
      class: "reversible",
      args: z.strictObject({
        waitMs: z
          .string()
          .regex(/^\d{1,9}$/)
          .transform(Number),
      }),
      run: drain,
      probe: probeDrained(unit),
    }),
    verb({
      name: "kwdb.stop",
      class: "reversible",
      args: nothing,
      run: (context) => systemctl(context, "stop", false),
      probe: probeRunning(false),
    }),
    verb({
      name: "kwdb.start",
      class: "reversible",
      args: nothing,
      run: (context) => systemctl(context, "start", true),
      probe: probeRunning(true),
    }),
    verb({
      name: "kwdb.restart",
      class: "reversible",
      args: nothing,
      run: (context) => systemctl(context, "restart", true),
      probe: probeServing(unit),
    }),
    verb({
      name: "kwdb.prove-stopped",
      class: "observe",
      args: nothing,
      run: ({ host }) => proveStopped(host, unit),
    }),
    reloadUnits(unit),
  ];
}

async function whyNotSettled(host: Host, unit: string, running: boolean): Promise<Failure | undefined> {
  const { clock } = host;
  for (const endMs = clock.monotonicMs() + settleMs; ; await clock.sleep(pollMs)) {
    const state = await readUnit(host, unit);
    if (state.ok && (state.value.mainPid !== 0) === running) return undefined;
    if (clock.monotonicMs() < endMs) continue;
    if (!state.ok) return state.failure;
    return failure(running ? "kwdb.service-not-started" : "kwdb.service-not-stopped", {
      unit,
      active: state.value.active,
      sub: state.value.sub,
      mainPid: String(state.value.mainPid),
    });
  }
}

/** A plain stop very likely cuts clients off: the unit's own stop sends two signals, and the second is a hard one. */
async function drain(
  { host, tool }: StepContext,
  { waitMs }: { readonly waitMs: number },
): Promise<StepResult> {
  const client = await openClient(host);
  if (!client.ok) return { result: "failed", failure: client.failure };
  const { sqlPort, security, user } = client.value.mode;
  const secure = security === "insecure" ? "--insecure" : `--certs-dir=${host.path(paths.certs)}`;
  const seconds = Math.max(1, Math.floor(waitMs / 1_000));
  const ran = await tool({
    argv: [
      host.path(paths.binary),
      "node",
      "drain",
      `--drain-wait=${seconds}s`,
      secure,
      `--host=127.0.0.1:${sqlPort}`,
    ],
    cwd: host.path(paths.bin),
    user,
  });
  if (ran.exitCode === 0) return { result: "done", outputs: {}, tail: ran.tail };
  return {
    result: "failed",
    failure: failure(/timeout/.test(ran.tail) ? "kwdb.drain-timeout" : "kwdb.drain-failed", {
      seconds: String(seconds),
    }),
    tail: ran.tail,
  };
}

function probeDrained(unit: string) {
  return async ({ host }: StepContext): Promise<Probe> => {
    const state = await readUnit(host, unit);
    if (!state.ok) return { state: "unknown", failure: state.failure };
    if (state.value.mainPid === 0) return { state: "done", outputs: {} };
    const client = await openClient(host);
    if (!client.ok) return { state: "unknown", failure: client.failure };
    const rows = await nodeRows(client.value);
    // a draining node may refuse SQL; draining it once more is harmless
    if (!rows.ok) return { state: "not-done" };
    return ownRow(rows.value, client.value.mode)?.draining === true
      ? { state: "done", outputs: {} }
      : { state: "not-done" };
  };
}

/** Running and not draining: the mark of a drain goes only when the node starts anew. */
function probeServing(unit: string) {
  return async ({ host }: StepContext): Promise<Probe> => {
    const state = await readUnit(host, unit);
    if (!state.ok) return { state: "unknown", failure: state.failure };
    if (state.value.mainPid === 0) return { state: "not-done" };
    const client = await openClient(host);
    const rows = client.ok ? await nodeRows(client.value) : client;
    if (!client.ok || !rows.ok) return { state: "not-done" };
    return ownRow(rows.value, client.value.mode)?.draining === false
      ? { state: "done", outputs: {} }
      : { state: "not-done" };
  };
}

async function proveStopped(host: Host, unit: string): Promise<StepResult> {
  const state = await readUnit(host, unit);
  if (!state.ok) return { result: "failed", failure: state.failure };
  if (state.value.mainPid !== 0)
    return {
      result: "failed",
      failure: failure("kwdb.service-not-stopped", {
        unit,
        active: state.value.active,
        sub: state.value.sub,
        mainPid: String(state.value.mainPid),
      }),
    };
  const left = await processesOf(host.path(paths.binary));
  if (left.length > 0)
    return { result: "failed", failure: failure("kwdb.process-left", { pids: left.join(", ") }) };
  return { result: "done", outputs: {} };
}

/** Servers of this binary that outlived their unit, by the first words of their command line. */
async function processesOf(binary: string): Promise<readonly string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")),
  );
  return pids.filter((_, index) => {
    const words = (lines[index] ?? "").split("\0");
    const at = words.indexOf(binary);
    return (at === 0 || at === 1) && /^start/.test(words[at + 1] ?? "");
  });
}

function reloadUnits(unit: string): Verb {
  return verb({
    name: "kwdb.reload-units",
    class: "reversible",
    args: nothing,
    async run(context): Promise<StepResult> {
      const ran = await context.tool({ argv: ["systemctl", "daemon-reload"] });
      const state = await readUnit(context.host, unit);
      if (!state.ok) return { result: "failed", failure: state.failure };
      if (!state.value.needsReload) return { result: "done", outputs: {} };
      return {
        result: "failed",
        failure: failure("kwdb.unit-needs-reload", { node: "this node" }),
        tail: ran.tail,
      };
    },
    async probe({ host }): Promise<Probe> {
      const state = await readUnit(host, unit);
      if (!state.ok) return { state: "unknown", failure: state.failure };
      return state.value.needsReload ? { state: "not-done" } : { state: "done", outputs: {} };
    },
  });
}
