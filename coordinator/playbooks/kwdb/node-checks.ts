/** Checks of one node and its host. */
import { type Failure, failure } from "#proto/common/failure.ts";
import { known, type Measured, whyUnknown } from "#proto/common/measured.ts";
import type { KwdbFull } from "#proto/engines/kwdb.ts";
import type { CheckResult } from "../../domain/check.ts";
import type { NodeEntry } from "../../domain/inventory.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import { sqlAddress } from "./address.ts";
import { fullOf, normalVersion, ownRow, runningVersion } from "./facts.ts";
import { whyBad } from "./gates.ts";
import { judge, result } from "./result.ts";
import { settingsOf } from "./settings.ts";

type NodeCheck = (input: PlaybookInput, node: NodeEntry) => CheckResult | undefined;

/** Nodes end themselves at 80 % of 500 ms. */
const clockKoMs = 400;
const clockWarnMs = 100;
/** Unpacked package, twice, and room for the log. */
const wantedFreeBytes = 2 * 1024 ** 3;

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

const deployedAsDeclared: NodeCheck = (input, { name }) =>
  withFacts(input, name, (facts) =>
    judge({ id: "deployed-as-declared", node: name }, facts.mode, ({ kind }) => [
      kind === "bare" ? "ok" : "ko",
      { found: kind, declared: input.cluster.deployment },
    ]),
  );

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
const versionsAgree: NodeCheck = (input, { name }) =>
  withFacts(input, name, (facts) =>
    judge({ id: "versions-agree", node: name }, facts.running, () => {
      const running = runningVersion(facts) ?? "?";
      const file = normalVersion(known(facts.versionFile)?.basic) ?? "?";
      const binary = normalVersion(known(facts.binary)?.version) ?? "?";
      return [running === file && file === binary ? "ok" : "ko", { running, file, binary }];
    }),
  );

const sudo: NodeCheck = (input, { name }) =>
  withFacts(input, name, (facts) =>
    judge({ id: "sudo", node: name }, facts.sudo, (works) => [works ? "ok" : "ko"]),
  );

const foreign: NodeCheck = (input, { name }) =>
  withFacts(input, name, (facts) =>
    judge({ id: "foreign-installer", node: name }, facts.foreign, (found) => [
      found.length === 0 ? "ok" : "ko",
      { found: found.join(", ") },
    ]),
  );

const meddlers: NodeCheck = (input, { name }) =>
  withFacts(input, name, (facts) =>
    judge({ id: "meddlers", node: name, yields: "acknowledge" }, facts.meddlers, (found) => [
      found.length === 0 ? "ok" : "warn",
      { found: found.join(", ") },
    ]),
  );

const clock: NodeCheck = ({ clockOffsets }, { name }) => {
  const offset = clockOffsets[name];
  if (offset === undefined)
    return {
      ...result({ id: "clock", node: name }, "unknown"),
      reason: { code: "measure.never-taken", facts: {} },
    };
  const surelyMs = Math.max(0, Math.abs(offset.offsetMs) - offset.errorMs);
  const facts = { offsetMs: String(offset.offsetMs), errorMs: String(offset.errorMs) };
  // so slow an answer that the offset could be anything
  if (surelyMs < clockKoMs && offset.errorMs >= clockKoMs)
    return {
      ...result({ id: "clock", node: name, yields: "override" }, "unknown", facts),
      reason: { code: "measure.too-coarse", facts },
    };
  return result(
    { id: "clock", node: name, yields: "override" },
    surelyMs >= clockKoMs ? "ko" : surelyMs >= clockWarnMs ? "warn" : "ok",
    facts,
  );
};

const space: NodeCheck = ({ reports: all }, { name }) => {
  const report = all[name];
  if (report === undefined) return undefined;
  return judge({ id: "space", node: name, yields: "override" }, report.host.fileSystems, (found) => {
    const short = found.filter(
      ({ availableBytes, inodesAvailable, inodes }) =>
        availableBytes < wantedFreeBytes || (inodes > 0 && inodesAvailable < 10_000),
    );
    const told = (short.length > 0 ? short : found)
      .map(({ path, availableBytes }) => `${path} ${Math.floor(availableBytes / 1024 ** 2)} MiB`)
      .join(", ");
    return [
      short.length === 0 ? "ok" : "ko",
      { found: told, wantedMiB: String(wantedFreeBytes / 1024 ** 2) },
    ];
  });
};

/** After a failed package change the old package is the only way back: the script removes it before it installs. */
const oldPackage: NodeCheck = (input, { name }) =>
  withFacts(input, name, (facts) => {
    const version = runningVersion(facts) ?? "?";
    const about = { id: "old-package", node: name, yields: "acknowledge" } as const;
    const settings = settingsOf(input.cluster);
    const isStaged = settings.ok && settings.value.oldPackage !== undefined;
    const kept = known(facts.keptPackages)?.some((each) => each.version === version) ?? false;
    return result(about, kept || isStaged ? "ok" : "unknown", { version });
  });

/** Only where the cluster's entry asks for it. */
const dataArchive: NodeCheck = (input, { name }) => {
  const settings = settingsOf(input.cluster);
  if (!settings.ok || !settings.value.archiveData) return undefined;
  return withFacts(input, name, (facts) => {
    const about = { id: "data-archive", node: name } as const;
    if ("notApplicable" in facts.archive)
      return result(about, "ko", { folder: "none", freeMiB: "0", dataMiB: "?" });
    return judge(about, facts.archive, ({ folder, availableBytes, dataBytes }) => [
      availableBytes > dataBytes ? "ok" : "ko",
      { folder, freeMiB: mebibytes(availableBytes), dataMiB: mebibytes(dataBytes) },
    ]);
  });
};

function mebibytes(bytes: number): string {
  return String(Math.floor(bytes / 1024 ** 2));
}

const leftOvers: NodeCheck = (input, { name }) =>
  withFacts(input, name, (facts) =>
    judge({ id: "left-overs", node: name }, facts.upgradeCompleteFlag, (flag) => [flag ? "ko" : "ok"]),
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
    const unread = bound.find((each) => known(each) === undefined);
    if (unread === undefined) return result(about, "ok");
    const reason = whyUnknown(unread) ?? { code: "measure.never-taken" as const, facts: {} };
    return { ...result(about, "unknown"), reason };
  });

/** A node without facts is UNKNOWN once, in agent-reports, and not in every other check too. */
function withFacts(
  input: PlaybookInput,
  name: string,
  check: (facts: NonNullable<ReturnType<typeof fullOf>>) => CheckResult,
): CheckResult | undefined {
  const facts = fullOf(input.reports[name]);
  return facts === undefined ? undefined : check(facts);
}

export const nodeChecks: readonly NodeCheck[] = [
  reports,
  installed,
  deployedAsDeclared,
  topologyAgrees,
  live,
  versionsAgree,
  sudo,
  clock,
  space,
  foreign,
  meddlers,
  oldPackage,
  dataArchive,
  leftOvers,
  unitFresh,
  bindable,
];
