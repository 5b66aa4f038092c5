/**
 * Left-overs of an online upgrade done by hand, mended under claim and lock like everything that changes a host. A node
 * that is marked as upgrading is stopped, started once with the vendor's flag, and proven; the flag is taken out again,
 * every other argument stays. That start sets `server.time_until_store_dead` to its default, so the value that the
 * cluster is to have is put back after it.
 */
import { type Failure, fail, failure, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Form } from "#proto/engines/kwdb.ts";
import { intervalMs } from "#proto/engines/kwdb-interval.ts";
import type { CheckResult } from "../../domain/check.ts";
import type { NodeEntry } from "../../domain/inventory.ts";
import { type NodeStage, type Plan, type PlanStep, planFormat } from "../../domain/plan.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import { sqlAddress } from "./address.ts";
import { checkCluster } from "./checks.ts";
import { type Evidence, evidenceOf } from "./evidence.ts";
import { fullOf, runningVersion } from "./facts.ts";
import { fingerprint } from "./fingerprint.ts";
import { formOf } from "./form.ts";
import {
  defaultStoreDead,
  hasFlag,
  isLeftStoreDead,
  isMarkedUpgrading,
  secondsOf,
  shownStoreDead,
} from "./left-overs.ts";
import { addFlagStep, clearFlagStep, flagFile, type MendedForm, setStoreDeadStep } from "./mend-steps.ts";
import { result } from "./result.ts";
import { stepSetOf } from "./step-set.ts";
import { readySteps, startSteps, stopSteps } from "./steps.ts";
import { storeDead } from "./store-dead.ts";
import { healthy, journeyOf, programOn, type Upgrade } from "./upgrade.ts";

const shared: readonly string[] = [
  "kwdb.agent-reports",
  "kwdb.deployed-as-declared",
  "kwdb.foreign-installer",
  "kwdb.clock",
];

interface Found {
  readonly input: PlaybookInput;
  readonly form: MendedForm;
  /** Of the node that is started again; where none is, of the first that runs. */
  readonly version: string;
  /** All that run: an online upgrade by hand may be half-way through the cluster. */
  readonly versions: readonly string[];
  readonly marked: NodeEntry | undefined;
  readonly flagged: readonly NodeEntry[];
  /** What the setting is to be; undefined where it is left alone. */
  readonly dead: string | undefined;
}

/** Refused: `kwdb.nothing-to-mend`, `kwdb.mend-several`, `kwdb.mend-not-served`, `kwdb.mend-half-way`, `kwdb.version-unknown`, `kwdb.mend-value`. */
export function planMend(input: PlaybookInput): Outcome<Plan> {
  const found = lookFor(input);
  if (!found.ok) return found;
  const { version } = found.value;
  const at: PlaybookInput = { ...input, wish: { ...input.wish, to: version } };
  const checks = [
    ...storeDeadWanted(found.value),
    ...checkCluster(at).filter(({ id }) => shared.includes(id)),
  ];
  return succeed({
    format: planFormat,
    digest: "",
    engine: "kwdb",
    clusters: [input.cluster.name],
    from: version,
    to: version,
    strategy: "rolling",
    method: "mend",
    mend: input.wish.mend ?? {},
    boundTo: fingerprint(at),
    stages: stagesOf(found.value),
    checks,
    asks: checks.flatMap(({ id, status, yields }) =>
      status === "unknown" && yields !== "never" ? [id] : [],
    ),
    wayBack: [],
    warnings: found.value.marked === undefined ? [] : ["warning.kwdb.mend-restarts"],
    findings: findingsOf(found.value),
  });
}

function lookFor(input: PlaybookInput): Outcome<Found> {
  const { cluster, wish, reports } = input;
  const facts = { cluster: cluster.name };
  const marked = cluster.nodes.filter((node) => isMarkedUpgrading(input, node));
  if (marked.length > 1)
    return fail("kwdb.mend-several", { ...facts, nodes: marked.map(({ name }) => name).join(", ") });
  const shown = shownStoreDead(input);
  const named = wish.mend?.["store-dead"];
  if (named !== undefined && intervalMs(named) === undefined)
    return fail("kwdb.mend-value", { value: named });
  const flagged = cluster.nodes.filter((node) => hasFlag(input, node) && !marked.includes(node));
  // deploy.sh itself leaves these where it starts the node; where somebody else does, the words of the start are theirs
  const restarts = [...marked, ...flagged].map(({ name }) => name);
  const form = formOf(input);
  if (restarts.length > 0 && !form.ok) return form;
  if (restarts.length > 0 && form.ok && !isByDeployScript(form.value))
    return fail("kwdb.mend-not-served", {
      ...facts,
      deployment: cluster.deployment,
      nodes: restarts.join(", "),
    });
  const isLeft = isLeftStoreDead(shown);
  if (marked.length + flagged.length === 0 && !isLeft) return fail("kwdb.nothing-to-mend", facts);
  const halfWay = marked.flatMap((node) => whyHalfWay(input, node) ?? [])[0];
  if (halfWay !== undefined) return { ok: false, failure: halfWay };
  const running = cluster.nodes.flatMap(({ name }) => runningVersion(fullOf(reports[name])) ?? []);
  const [first] = running;
  if (first === undefined) return fail("kwdb.version-unknown", facts);
  // a value of the cluster's own would be lost with the mark
  const own = isLeft ? defaultStoreDead : marked.length > 0 ? secondsOf(shown) : undefined;
  return succeed({
    input,
    version: marked.flatMap((node) => evidenceAt(input, node)?.file ?? [])[0] ?? first,
    versions: [...new Set(running)].sort(),
    form: form.ok && isByDeployScript(form.value) ? form.value : "script",
    marked: marked[0],
    flagged,
    dead: named ?? own,
  });
}

function isByDeployScript(form: Form): form is MendedForm {
  return form === "script" || form === "compose-service";
}

function evidenceAt(input: PlaybookInput, node: NodeEntry): Evidence | undefined {
  const facts = fullOf(input.reports[node.name]);
  return facts === undefined ? undefined : evidenceOf(facts, sqlAddress(input, node));
}

/**
 * A script that failed after its mark leaves the old process on files that are gone: stopped, it never starts again. A
 * node may be stopped for its mark only where what would be started is what its version file says.
 */
function whyHalfWay(input: PlaybookInput, node: NodeEntry): Failure | undefined {
  const evidence = evidenceAt(input, node);
  if (evidence === undefined) return failure("node.no-report", { node: node.name });
  if (evidence.state === "serving" || evidence.state === "stopped") return undefined;
  const { file, binary, running } = evidence;
  return failure("kwdb.mend-half-way", { node: node.name, file, binary, running });
}

/** Three hours may be anybody's choice, and what it was before is not written anywhere: a person says it. */
function storeDeadWanted({ input, dead }: Found): readonly CheckResult[] {
  if (dead === undefined) return [];
  const shown = shownStoreDead(input) ?? "?";
  const facts = { setting: storeDead, shown, wanted: dead };
  const isSaid = input.wish.mend?.["store-dead"] !== undefined;
  if (isSaid || !isLeftStoreDead(shown)) return [result({ id: "store-dead-wanted" }, "ok", facts)];
  return [
    {
      ...result({ id: "store-dead-wanted", yields: "acknowledge" }, "unknown", facts),
      reason: failure("kwdb.store-dead-not-known", facts),
    },
  ];
}

function stagesOf(found: Found): readonly NodeStage[] {
  const { input, marked, flagged, dead } = found;
  const [first] = input.cluster.nodes;
  const onlySetting = marked === undefined && dead !== undefined && first !== undefined;
  return [
    ...(marked === undefined ? [] : [restartStage(found, marked)]),
    ...flagged.map((node) => stageOn(found, node, [clearFlagStep(found.form)])),
    ...(onlySetting
      ? [
          {
            ...stageOn(found, first, [setStoreDeadStep({ to: dead, shown: shownStoreDead(input) })]),
            id: "mend-setting",
          },
        ]
      : []),
  ];
}

function hopOf({ input, version, form }: Found): Upgrade {
  const settings = { archiveData: false, awaitJobsMs: 0 } as Upgrade["settings"];
  return {
    input,
    from: version,
    to: version,
    digest: "",
    form,
    steps: stepSetOf(form),
    settings,
    way: "rolling",
  };
}

function stageOn(found: Found, node: NodeEntry, steps: readonly PlanStep[]): NodeStage {
  const { name: cluster } = found.input.cluster;
  const program = programOn(hopOf(found), node, steps);
  return { kind: "node", id: `mend-${node.name}`, cluster, node: node.name, before: [], program, after: [] };
}

function restartStage(found: Found, node: NodeEntry): NodeStage {
  const { input, form, versions, dead } = found;
  const hop = hopOf(found);
  const { gates, nodes } = input.cluster;
  const whole = healthy(hop, versions.join(","), gates.dwellMs);
  const args = { ...whole.args, node: node.name, address: sqlAddress(input, node) };
  const steps = [
    ...stopSteps,
    addFlagStep(form),
    ...startSteps,
    ...readySteps(journeyOf(hop, node)),
    clearFlagStep(form),
    ...(dead === undefined ? [] : [setStoreDeadStep({ to: dead, shown: shownStoreDead(input) })]),
  ];
  return {
    ...stageOn(found, node, steps),
    before: nodes.length === 1 ? [] : [{ ...whole, gate: "kwdb.others-healthy", args }],
    after: [whole],
  };
}

function findingsOf({ input, form, marked, flagged, dead }: Found): readonly Failure[] {
  const shown = shownStoreDead(input) ?? "?";
  return [
    ...(marked === undefined ? [] : [failure("mend.kwdb.marked", { node: marked.name })]),
    ...flagged.map(({ name }) => failure("mend.kwdb.flag", { node: name, file: flagFile[form] })),
    ...(dead === undefined
      ? []
      : [failure("mend.kwdb.store-dead", { setting: storeDead, shown, wanted: dead })]),
  ];
}
