/**
 * Settings of the old cluster that only a restart brings into force, as node stages of their own: replicas first, then the primary.
 * They are in the plan only where a check finds a setting too low, and only where each server's agent has a command to restart it.
 */
import { failure } from "#proto/common/failure.ts";
import { known } from "#proto/common/measured.ts";
import type { CheckResult } from "../../domain/check.ts";
import type { NodeStage, Plan } from "../../domain/plan.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import { fullOf } from "./facts.ts";
import { type Endpoint, gate, type Move, on, proveServer } from "./move.ts";
import { result } from "./result.ts";
import { primariesOf } from "./sides.ts";
import type { Of } from "./steps/of.ts";
import { restartServer, restoreSettings, writeSettings } from "./steps/restart-settings.ts";

const walLevel = "postgresql.source-wal-level";
const rooms: ReadonlySet<string> = new Set(
  ["slot", "sender", "worker", "process"].map((what) => `postgresql.source-${what}-room`),
);

/** By name what must be set for the move; empty where nothing stops it. */
export function wantedSettings(checks: readonly CheckResult[]): Readonly<Record<string, string>> {
  const short = checks.filter(({ id, status }) => rooms.has(id) && (status === "ko" || status === "warn"));
  const isStopped = checks.some(({ id, status }) => status === "ko" && (id === walLevel || rooms.has(id)));
  if (!isStopped) return {};
  const isReplica = checks.some(({ id, status }) => id === walLevel && status === "ko");
  return {
    ...(isReplica ? { wal_level: "logical" } : {}),
    ...Object.fromEntries(
      short
        .map(({ facts }) => [facts["setting"] ?? "", facts["wants"] ?? ""] as const)
        .filter(([name, value]) => name !== "" && Number(value) > 0)
        .sort(),
    ),
  };
}

/** Replicas first: one whose settings are below its primary's would stop following it. */
function inOrder(input: PlaybookInput): readonly string[] {
  const primaries = primariesOf(input).map(({ name }) => name);
  const all = input.cluster.nodes.map(({ name }) => name);
  return [...all.filter((name) => !primaries.includes(name)), ...primaries];
}

/** Why the plan cannot do it itself; undefined where it can. */
function whyNotOffered(input: PlaybookInput): string | undefined {
  const facts = inOrder(input).map((name) => fullOf(input.reports[name]));
  const unnamed = inOrder(input).filter((_, index) => (known(facts[index]?.restart) ?? null) === null);
  if (unnamed.length > 0) return `no command to restart it in the agent's file of ${unnamed.join(", ")}`;
  const standbys = Math.max(0, ...facts.map((each) => known(each?.standbys) ?? 0));
  const members = Math.max(0, ...facts.map((each) => known(each?.patroni)?.members.length ?? 0));
  const all = input.cluster.nodes.length;
  if (standbys + 1 > all || members > all)
    return `${Math.max(standbys + 1, members)} servers, and ${all} of them in the inventory`;
  return undefined;
}

/** What the plan sets is no reason to refuse any more; where it cannot, it says why. */
export function offered(input: PlaybookInput, checks: readonly CheckResult[]): readonly CheckResult[] {
  const wanted = wantedSettings(checks);
  if (Object.keys(wanted).length === 0) return checks;
  const why = whyNotOffered(input);
  const facts = {
    cluster: input.cluster.name,
    settings: shown(wanted),
    nodes: inOrder(input).join(", then "),
    why: why ?? "",
  };
  const told = result({ id: "source-restart" }, why === undefined ? "warn" : "ko", facts);
  if (why !== undefined) return [...checks, told];
  const settled = checks.map((check): CheckResult => {
    const isSet = (check.id === walLevel || rooms.has(check.id)) && /^(ko|warn)$/.test(check.status);
    return isSet
      ? { ...check, status: "not-applicable", reason: failure("postgresql.set-by-plan", facts) }
      : check;
  });
  return [...settled, told];
}

function shown(wanted: Readonly<Record<string, string>>): string {
  return Object.entries(wanted)
    .map(([name, value]) => `${name} = ${value}`)
    .join(", ");
}

/** Each under its own lock and within the windows; `checks` as they are before `offered`. */
export function settingStages({ source }: Move, checks: readonly CheckResult[]): readonly NodeStage[] {
  const wanted = wantedSettings(checks);
  if (Object.keys(wanted).length === 0 || whyNotOffered(source.input) !== undefined) return [];
  return inOrder(source.input).map((node, index) =>
    settingStage({ ...source, node }, { wanted, index, source }),
  );
}

function settingStage(
  here: Endpoint,
  {
    wanted,
    index,
    source,
  }: { readonly wanted: Readonly<Record<string, string>>; readonly index: number; readonly source: Endpoint },
): NodeStage {
  const cluster = here.input.cluster.name;
  const facts = fullOf(here.input.reports[here.node]);
  const patroni = known(facts?.patroni) ?? null;
  const command = known(facts?.restart) ?? "";
  // Patroni's are written once for all of its members
  const writes = patroni === null || index === 0 ? [writeSettings(wanted, patroni !== null)] : [];
  return {
    kind: "node",
    id: `settings-${here.node}`,
    cluster,
    node: here.node,
    before: [gate("answers", here, {}), gate("serves", source, {})],
    program: on(
      here,
      ...(here.node === source.node ? [proveServer(source)] : []),
      ...writes,
      restartServer(wanted, command),
    ),
    after: [gate("answers", here, {}), gate("serves", source, {})],
  };
}

/** Nodes on which a rollout has written settings, with the step that writes back what was. */
export function settingsBack(plan: Plan, of: Of) {
  return plan.stages.flatMap((stage) =>
    stage.kind === "node" && stage.program.steps.some(({ id }) => id === "write-settings")
      ? [{ node: stage.node, step: restoreSettings(of) }]
      : [],
  );
}
