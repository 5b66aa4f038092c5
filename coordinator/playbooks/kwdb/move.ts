/**
 * The move of a cluster's data into a new one: export, carry, import, compare. The only way across major versions, and open
 * for every deployment and topology, since no program is replaced. The old cluster is left as it was, or read-only; nothing of
 * it is dropped.
 */
import { fail, failure, type Outcome, succeed } from "#proto/common/failure.ts";
import { known } from "#proto/common/measured.ts";
import type { ClusterStage, FinishStage, Phase, Plan, PlanProgram, PlanStep } from "../../domain/plan.ts";
import { planFormat } from "../../domain/plan.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import type { OpenWay } from "../../domain/way.ts";
import { sqlAddress } from "./address.ts";
import { fullOf } from "./facts.ts";
import { fingerprint } from "./fingerprint.ts";
import { oldestVersion } from "./hop.ts";
import { checkMove } from "./move-checks.ts";
import { databasesOf, firstNode, moveMethod, youngOf } from "./move-sides.ts";
import * as steps from "./move-steps.ts";
import { settingsOf } from "./settings.ts";
import { healthy } from "./upgrade.ts";
import { compareVersions } from "./version-policy.ts";

export interface Move {
  readonly old: PlaybookInput;
  readonly young: PlaybookInput;
  readonly from: string;
  readonly to: string;
  /** By name, those that a person has made. */
  readonly databases: readonly string[];
  readonly writes: "refused" | "counted";
  readonly afterwards: "read-only" | "as-it-was";
  readonly fenceLimitMs: number;
}

/** Refused: `kwdb.move-strategy`, `kwdb.move-without-target`, `kwdb.target-missing`, `kwdb.databases-unknown`. */
function moveOf(input: PlaybookInput): Outcome<Move> {
  const { cluster, wish } = input;
  const { method = moveMethod, strategy = "move" } = wish;
  const facts = { cluster: cluster.name, to: wish.to };
  if (method !== moveMethod || strategy !== "move")
    return fail("kwdb.move-strategy", { ...facts, method, strategy });
  const young = youngOf(input);
  if (young === undefined || young.cluster.name === cluster.name)
    return fail("kwdb.move-without-target", facts);
  if (wish.to === "") return fail("kwdb.target-missing", facts);
  const from = oldestVersion(input);
  if (from === undefined) return fail("kwdb.version-unknown", facts);
  const settings = settingsOf(cluster);
  if (!settings.ok) return settings;
  const databases = databasesOf(input);
  if (databases === undefined) return fail("kwdb.databases-unknown", facts);
  const { writesWhileMoving: writes, oldAfterwards: afterwards, fenceLimitMs } = settings.value;
  return succeed({ old: input, young, from, to: wish.to, databases, writes, afterwards, fenceLimitMs });
}

export function planMove(input: PlaybookInput): Outcome<Plan> {
  const found = moveOf(input);
  if (!found.ok) return found;
  const move = found.value;
  const checks = checkMove(input);
  return succeed({
    format: planFormat,
    digest: "",
    engine: "kwdb",
    clusters: [move.old.cluster.name, move.young.cluster.name],
    from: move.from,
    to: move.to,
    strategy: "move",
    method: moveMethod,
    boundTo: moveFingerprint(input),
    stages: [look(move), moving(move), finish(move)],
    checks,
    asks: [
      ...new Set(
        checks.filter(({ status, yields }) => status === "unknown" && yields !== "never").map(({ id }) => id),
      ),
    ],
    wayBack: ["way-back.kwdb.move-before-switch", "way-back.kwdb.move-after-switch"],
    warnings: [
      move.writes === "refused" ? "warning.kwdb.move-read-only" : "warning.kwdb.move-late-rows",
      "warning.kwdb.move-switch",
      "warning.kwdb.move-passwords",
      "warning.kwdb.move-high-availability",
    ],
  });
}

/** Of both clusters; what changes on a node by the move itself stands in a field of that node. */
export function moveFingerprint(input: PlaybookInput): Readonly<Record<string, string>> {
  const young = youngOf(input);
  const old = fingerprint(input);
  const other = young === undefined ? {} : fingerprint(young);
  const fields: Record<string, string> = { ...old, method: moveMethod, into: young?.cluster.name ?? "" };
  for (const [name, value] of Object.entries(other))
    fields[name.startsWith("node.") ? name : `into.${name}`] = value;
  for (const side of young === undefined ? [input] : [input, young]) {
    const node = firstNode(side)?.name;
    if (node !== undefined) fields[`node.${node}.databases`] = JSON.stringify(databasesOf(side) ?? "unknown");
  }
  return fields;
}

function programOn(side: PlaybookInput, ...all: readonly PlanStep[]): PlanProgram {
  return { cluster: side.cluster.name, node: firstNode(side)?.name ?? "", steps: all };
}

function look({ old, young, to, databases }: Move) {
  return {
    kind: "preflight",
    id: "look",
    programs: [programOn(old, steps.measure(databases)), programOn(young, steps.empty(databases, to))],
  } as const;
}

function phase(id: string, ...programs: readonly PlanProgram[]): Phase {
  return { id, order: "parallel", programs, after: [] };
}

function moving(move: Move): ClusterStage {
  const { old, young, from, to, databases, writes } = move;
  const gate = (side: PlaybookInput, version: string) =>
    healthy({ input: side }, version, side.cluster.gates.dwellMs);
  const fenced = writes === "refused" ? [steps.proveFenced(peersOf(old))] : [];
  const options = {
    // table privileges stand in the export from 2.2 on
    privileges: compareVersions(from, "2.2") >= 0,
    // the words are gone from 3.1 on
    rewrites: compareVersions(from, "3.1") < 0 && compareVersions(to, "3.1") >= 0,
  };
  return {
    kind: "cluster",
    id: "move",
    clusters: [old.cluster.name, young.cluster.name],
    before: [gate(old, versionsOf(old, from)), gate(young, to)],
    phases: [
      ...(writes === "refused"
        ? [phase("fence", programOn(old, steps.fence(move.fenceLimitMs), ...fenced))]
        : []),
      phase(
        "before",
        programOn(old, steps.count(databases, "before"), steps.describe, ...steps.exportAccounts),
      ),
      phase("accounts", programOn(young, ...steps.importAccounts)),
      ...databases.flatMap((name, index) => [
        phase(
          steps.phaseId("export", index, name),
          programOn(old, ...fenced, ...steps.exportDatabase(name, options)),
        ),
        phase(steps.phaseId("import", index, name), programOn(young, ...steps.importDatabase(name, options))),
      ]),
      phase("after", programOn(old, ...fenced, steps.count(databases, "after"))),
      phase("compare", programOn(young, steps.compareRows(databases, writes), steps.compareCluster)),
      phase("clean", programOn(old, steps.dropFiles), programOn(young, steps.dropFiles)),
      ...ending(move),
    ],
    waysOnFailure: ["way.kwdb.move-again", "way.kwdb.move-undone"],
  };
}

/** The fence is kept, or taken down again; nothing where there was none. */
function ending({ old, writes, afterwards }: Move): readonly Phase[] {
  if (writes !== "refused") return [];
  if (afterwards === "as-it-was") return [phase("reopen", programOn(old, steps.unfence))];
  return [
    {
      ...phase("keep", programOn(old, steps.proveFenced(peersOf(old)))),
      makesPermanent: ["move/fence/fence-writes"],
    },
  ];
}

function finish({ young, to }: Move): FinishStage {
  const { cluster } = young;
  return {
    kind: "finish",
    id: "finish",
    programs: cluster.nodes.map(({ name }) => ({
      cluster: cluster.name,
      node: name,
      steps: [steps.proveVersion(to)],
    })),
    gates: [healthy({ input: young }, to, 0)],
  };
}

/** A half-upgraded cluster may be left by a move. */
function versionsOf({ cluster, reports }: PlaybookInput, from: string): string {
  const found = cluster.nodes.flatMap(({ name }) => known(fullOf(reports[name])?.running)?.version ?? []);
  return [...new Set([from, ...found])].join(",");
}

function peersOf(input: PlaybookInput): readonly string[] {
  return input.cluster.nodes.slice(1).map((node) => sqlAddress(input, node));
}

/** Open wherever the version to come from is known; taken only where it is named, since it needs another cluster. */
export function openMoves(input: PlaybookInput): readonly OpenWay[] {
  const from = oldestVersion(input);
  const settings = settingsOf(input.cluster);
  if (from === undefined || !settings.ok || compareVersions(from, input.wish.to) === 0) return [];
  const isRefused = settings.value.writesWhileMoving === "refused";
  return [
    {
      strategy: "move",
      method: moveMethod,
      isDefault: false,
      downtime: failure(isRefused ? "downtime.kwdb.move-read-only" : "downtime.kwdb.move-none", {}),
      lost: failure(isRefused ? "lost.kwdb.move-nothing" : "lost.kwdb.move-late-rows", {}),
      wayBack: failure("way-back.kwdb.move-before-switch", {}),
    },
  ];
}
