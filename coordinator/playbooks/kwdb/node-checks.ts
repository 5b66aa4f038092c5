/** Checks of one node: is it what the inventory says, well, and left by nobody half-way? */
import { type Failure, failure } from "#proto/common/failure.ts";
import { known, type Measured, whyUnknown } from "#proto/common/measured.ts";
import type { Form, KwdbFull } from "#proto/engines/kwdb.ts";
import { intervalMs } from "#proto/engines/kwdb-interval.ts";
import { sqlAddress } from "./address.ts";
import { evidenceOf, evidenceText, isHalfWay } from "./evidence.ts";
import { fullOf, normalVersion, ownRow, runningVersion } from "./facts.ts";
import { whyBad } from "./gates.ts";
import { isMarkedUpgrading } from "./left-overs.ts";
import { type NodeCheck, withFacts } from "./node-check.ts";
import { judge, result } from "./result.ts";
import { storeDead } from "./store-dead.ts";

const reports: NodeCheck = ({ reports: all }, { name }) => {
  if (fullOf(all[name]) !== undefined) return result({ id: "agent-reports", node: name }, "ok");
  return {
    ...result({ id: "agent-reports", node: name }, "unknown"),
    reason: { code: "node.no-report", facts: { node: name } },
  };
};

const installed: NodeCheck = (input, { name }) =>
  withFacts(input, name, (facts) =>
    judge({ id: "installed", node: name }, facts.unit, ({ loaded }) => [
      loaded && known(facts.versionFile) !== undefined ? "ok" : "ko",
      { unit: String(loaded), versionFile: known(facts.versionFile)?.basic ?? "none" },
    ]),
  );

/** What a word of the inventory may be on a host. */
const formsOf: Readonly<Record<string, readonly Form[]>> = {
  script: ["script"],
  container: ["compose-service", "compose", "docker-run"],
  compiled: ["compiled"],
};

const deployedAsDeclared: NodeCheck = (input, { name }) =>
  withFacts(input, name, ({ form: told, mode }) => {
    const about = { id: "deployed-as-declared", node: name } as const;
    const declared = input.cluster.deployment;
    const form = told ?? formByMode(mode);
    if (known(form) === undefined) return judge(about, form, () => ["ko"]);
    return judge(about, mode, ({ kind }) => {
      const found = known(form);
      const isSo = found !== undefined && formsOf[declared]?.includes(found) === true;
      const isKind = (kind === "container") === (declared === "container");
      return [isSo && isKind ? "ok" : "ko", { found: found === "script" ? kind : (found ?? "?"), declared }];
    });
  });

/** Agents of before know the script's form only; of these MODE says all that there is to say. */
function formByMode(mode: KwdbFull["mode"]): Measured<Form> {
  return "value" in mode
    ? { at: mode.at, value: mode.value.kind === "bare" ? "script" : "compose-service" }
    : mode;
}

const declaredTopologies: Readonly<Record<string, readonly [string, string]>> = {
  "multi-replica": ["multi-replication", "start"],
  "single-replica": ["single-replication", "start-single-replica"],
  standalone: ["single", "start-single-node"],
};

/**
 * The inventory, MODE, the store's own file and SQL must name one topology: the script believes only one of them. One
 * that cannot be asked, as SQL of a node that is down, disagrees with none.
 */
const topologyAgrees: NodeCheck = (input, node) =>
  withFacts(input, node.name, (facts) => {
    const about = { id: "topology-agrees", node: node.name } as const;
    const [mode, start] = declaredTopologies[input.cluster.topology] ?? ["", ""];
    const startFile = known(facts.startModeFile);
    const address = sqlAddress(input, node);
    const sql = ownRow(known(facts.nodes) ?? [], address)?.startMode ?? undefined;
    const judged = judge(about, facts.mode, ({ topology }) => {
      const differs =
        topology !== mode || [startFile, sql].some((each) => each !== undefined && each !== start);
      const told = { mode: topology, startFile: startFile ?? "?", sql: sql ?? "?" };
      return [differs ? "ko" : "ok", { declared: input.cluster.topology, ...told }];
    });
    const unread =
      startFile === undefined
        ? (whyUnknown(facts.startModeFile) ?? failure("measure.never-taken", {}))
        : sql === undefined
          ? whyNoRow(facts, address)
          : undefined;
    return judged.status === "ok" && unread !== undefined
      ? { ...judged, status: "unknown", reason: unread }
      : judged;
  });

function whyNoRow({ nodes }: Pick<KwdbFull, "nodes">, address: string): Failure {
  return whyUnknown(nodes) ?? failure("kwdb.own-row-missing", { address });
}

const live: NodeCheck = (input, node) =>
  withFacts(input, node.name, (facts) =>
    judge({ id: "node-live", node: node.name }, facts.nodes, (rows) => {
      const row = ownRow(rows, sqlAddress(input, node));
      const why =
        row === undefined
          ? "not in node status"
          : (whyBad(row, [normalVersion(row.build ?? "") ?? ""]) ?? whyNotReady(facts.ready));
      return [why === undefined ? "ok" : "ko", { why: why ?? "", address: sqlAddress(input, node) }];
    }),
  );

function whyNotReady(ready: Measured<boolean>): string | undefined {
  const answer = known(ready);
  if (answer === undefined) return "/health?ready=1 could not be asked";
  return answer ? undefined : "/health?ready=1 is not 200";
}

/** Version file, binary and running process tell one story; otherwise an earlier upgrade was left half-way. */
const versionsAgree: NodeCheck = (input, node) =>
  withFacts(input, node.name, (facts) => {
    const { name } = node;
    const evidence = evidenceOf(facts, sqlAddress(input, node));
    const { file, binary } = evidence;
    const running = runningVersion(facts) ?? evidence.running;
    // by what is there, also where nothing runs that could be asked
    if (isHalfWay(evidence))
      return {
        ...result({ id: "versions-agree", node: name }, "ko", { running, file, binary }),
        reason: evidenceText(name, evidence),
      };
    return judge({ id: "versions-agree", node: name }, facts.running, () => [
      running === file && file === binary ? "ok" : "ko",
      { running, file, binary },
    ]);
  });

const leftOvers: NodeCheck = (input, node) =>
  withFacts(input, node.name, (facts) =>
    judge({ id: "left-overs", node: node.name }, facts.upgradeCompleteFlag, (flag) => {
      const found = [
        ...(flag
          ? [
              `--upgrade-complete stands in ${input.cluster.deployment === "container" ? "docker-compose.yml" : "kaiwudb_env"}`,
            ]
          : []),
        ...(isMarkedUpgrading(input, node) ? ["it is marked as upgrading"] : []),
      ];
      return [found.length === 0 ? "ok" : "ko", { found: found.join("; "), cluster: input.cluster.name }];
    }),
  );

/** Asked of agents that know of it. Where somebody has set it anew since, what was kept says nothing. */
const storeDeadRaised: NodeCheck = (input, { name }) =>
  withFacts(input, name, (facts) =>
    facts.storeDeadRaised === undefined
      ? undefined
      : judge({ id: "store-dead-raised", node: name }, facts.storeDeadRaised, (kept) => {
          const shown = intervalMs(known(facts.settings)?.[storeDead] ?? "");
          if (kept === null || (shown !== undefined && shown !== intervalMs(kept.raisedTo))) return ["ok"];
          const { rollout, was, raisedTo: raised } = kept;
          const command =
            was === null
              ? `RESET CLUSTER SETTING ${storeDead}`
              : `SET CLUSTER SETTING ${storeDead} = '${was}'`;
          return ["warn", { rollout, raised, was: was ?? "not set", command }];
        }),
  );

const unitFresh: NodeCheck = (input, { name }) =>
  withFacts(input, name, (facts) =>
    judge({ id: "unit-fresh", node: name }, facts.unit, ({ needsReload }) => [needsReload ? "warn" : "ok"]),
  );

/** What the plan is bound to must be readable, or drift would compare one "unknown" with another. */
const bindable: NodeCheck = (input, { name }) =>
  withFacts(input, name, (facts) => {
    const about = { id: "bindable", node: name } as const;
    const bound: readonly Measured<unknown>[] = [facts.unitSha256, facts.configurationSha256];
    const unread = bound.find((each) => whyUnknown(each) !== undefined);
    if (unread === undefined) return result(about, "ok");
    const reason = whyUnknown(unread) ?? { code: "measure.never-taken" as const, facts: {} };
    return { ...result(about, "unknown"), reason };
  });

export const nodeChecks: readonly NodeCheck[] = [
  reports,
  installed,
  deployedAsDeclared,
  topologyAgrees,
  live,
  versionsAgree,
  leftOvers,
  storeDeadRaised,
  unitFresh,
  bindable,
];
