/** One word per node, and what the nodes disagree on. */
import { type Failure, failure } from "#proto/common/failure.ts";
import { known, whyUnknown } from "#proto/common/measured.ts";
import type { NodeReport } from "#proto/common/report.ts";
import { fullOf, gateOf, normalVersion, pulseOf, runningVersion } from "./facts.ts";

export function summarise(report: NodeReport): {
  readonly version: string;
  readonly state: string;
  readonly findings: readonly Failure[];
  readonly notes?: readonly Failure[];
} {
  const notes = archivesOn(report);
  return { ...summaryOf(report), ...(notes.length === 0 ? {} : { notes }) };
}

/** Newest first. Those of others in a shared folder are theirs to tell. */
function archivesOn(report: NodeReport): readonly Failure[] {
  const found = known(fullOf(report)?.archives) ?? [];
  const own = found.filter(({ about }) => about === null || about.node === report.node);
  return own
    .toSorted((left, right) => ((left.about?.madeAt ?? "") < (right.about?.madeAt ?? "") ? 1 : -1))
    .map(({ path, bytes, about }) => {
      const size = { path, bytes: String(bytes) };
      if (about === null) return failure("kwdb.archive-strange", size);
      const { rollout, version, madeAt, kind, isProven } = about;
      return failure(kind === "cluster-stop" ? "kwdb.archive-of-stop" : "kwdb.archive-of-node", {
        ...size,
        ...{ rollout, version, madeAt, proven: isProven ? "proven" : "not proven" },
      });
    });
}

function summaryOf(report: NodeReport): {
  readonly version: string;
  readonly state: string;
  readonly findings: readonly Failure[];
} {
  const pulse = pulseOf(report);
  if (pulse === undefined)
    return {
      version: "?",
      state: "unknown",
      findings: [failure("kwdb.node-unknown", { node: report.node })],
    };
  const file = known(pulse.versionFile);
  const gate = gateOf(report);
  const running = runningVersion(gate);
  const version =
    running ??
    (file === undefined
      ? "?"
      : `${normalVersion(file.basic) ?? "?"}${file.extended === null ? "" : ` ${file.extended}`}`);
  return {
    version,
    state: stateOf(pulse),
    findings: findingsOf(report.node, pulse, { running, file: normalVersion(file?.basic) }),
  };
}

function stateOf(pulse: NonNullable<ReturnType<typeof pulseOf>>): string {
  const unit = known(pulse.unit);
  if (unit === undefined) return "unknown";
  if (!unit.loaded) return "not installed";
  if (unit.mainPid === 0) return "stopped";
  const ready = known(pulse.ready);
  return ready === undefined ? "unknown" : ready ? "ready" : "not ready";
}

function findingsOf(
  node: string,
  pulse: NonNullable<ReturnType<typeof pulseOf>>,
  versions: { readonly running: string | undefined; readonly file: string | undefined },
): readonly Failure[] {
  const findings: Failure[] = [];
  const why = whyUnknown(pulse.unit) ?? whyUnknown(pulse.versionFile);
  if (why !== undefined) findings.push({ ...why, facts: { ...why.facts, node } });
  if (versions.running !== undefined && versions.file !== undefined && versions.running !== versions.file) {
    findings.push(
      failure("kwdb.file-and-process-differ", { node, file: versions.file, running: versions.running }),
    );
  }
  if (known(pulse.unit)?.needsReload === true) findings.push(failure("kwdb.unit-needs-reload", { node }));
  return findings;
}

/** Gossip is local: nodes that see different clusters are a finding, whoever is right. */
export function compareViews(reports: readonly NodeReport[]): readonly Failure[] {
  const views = reports.flatMap((report) => {
    const rows = known(gateOf(report)?.nodes);
    if (rows === undefined) return [];
    const view = [...rows]
      .sort((left, right) => left.id - right.id)
      .map(
        ({ id, build, isAvailable, isLive }) =>
          `${id}:${normalVersion(build ?? undefined) ?? "?"}:${isAvailable}:${isLive}`,
      )
      .join(" ");
    return [{ node: report.node, view }];
  });
  const groups = new Map<string, string[]>();
  for (const { node, view } of views) groups.set(view, [...(groups.get(view) ?? []), node]);
  if (groups.size < 2) return [];
  const told = [...groups].map(([view, nodes]) => `${nodes.join(",")} see ${view}`).join(" | ");
  return [failure("kwdb.views-differ", { views: told })];
}
