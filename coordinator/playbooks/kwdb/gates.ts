/**
 * KWDB's gates. Replica metrics are up to ten seconds old and dead stores stay in their sum, so one green
 * sample says little: the dwell asks for several in a row.
 */
import { z } from "zod";
import { failure } from "#proto/common/failure.ts";
import { failureSchema, known, whyUnknown } from "#proto/common/measured.ts";
import type { KwdbGate, NodeRow } from "#proto/engines/kwdb.ts";
import {
  type ClusterSample,
  type Gate,
  type Gates,
  type GateVerdict,
  pass,
  waitFor,
} from "../../domain/gate.ts";
import { gateOf, normalVersion, runningVersion } from "./facts.ts";
import { blockingJobs } from "./jobs.ts";

/** Names the argument that says the versions of one node, where these are not those of all. */
export function versionsAt(address: string): string {
  return `versions@${address}`;
}

/** Every node says: all nodes live and available, nothing draining or upgrading, all replicas there, no blocking job. */
const clusterHealthy: Gate = ({ spec, now }) => {
  const { versions = "", nodes } = spec.args;
  const own = ({ address, sqlAddress }: NodeRow) =>
    [address, sqlAddress].map((at) => spec.args[versionsAt(at ?? "")]).find((found) => found !== undefined);
  const allowed = (row: NodeRow) => (own(row) ?? versions).split(",");
  const expected = Number(nodes);
  for (const [node, report] of Object.entries(now.nodes)) {
    const verdict = judgeNode(node, report, { allowed, expected });
    if (verdict.verdict !== "pass") return verdict;
  }
  const sampled = Object.keys(now.nodes).length;
  return expected > 0 && sampled >= expected ? pass : missing("the coordinator", sampled, expected);
};

/** The node itself runs the target version, by its own process and by the view of every other node. */
const nodeUpgraded: Gate = ({ spec, now }) => {
  const node = spec.args["node"] ?? "";
  const target = spec.args["version"] ?? "";
  const address = spec.args["address"] ?? "";
  const facts = factsOf(now, node);
  if (facts === undefined) return noFacts(node, now.nodes[node]);
  const running = runningVersion(facts);
  if (running !== target) return waitFor("kwdb.node-version", { node, running: running ?? "?", target });
  for (const other of Object.keys(now.nodes)) {
    const seen = known(factsOf(now, other)?.nodes)?.find(
      (row) => row.address === address || row.sqlAddress === address,
    );
    if (
      seen === undefined ||
      !seen.isAvailable ||
      !seen.isLive ||
      normalVersion(seen.build ?? "") !== target
    ) {
      return waitFor("kwdb.node-not-seen", { node, from: other, build: seen?.build ?? "?" });
    }
  }
  return pass;
};

/** All but one node say that all but that one are well: it is away, and what it lacks is no reason to leave it so. */
const othersHealthy: Gate = ({ spec, now }) => {
  const { versions = "", nodes, node: away = "", address = "", runs } = spec.args;
  const expected = Number(nodes) - 1;
  const others = Object.entries(now.nodes).filter(([node]) => node !== away);
  for (const [node, report] of others) {
    const facts = "unknown" in report ? undefined : gateOf(report);
    if (facts === undefined) return noFacts(node, report);
    const rows = known(facts.nodes);
    if (rows === undefined) return unknown(node, facts.nodes);
    const counted = rows.filter((row) => row.address !== address && row.sqlAddress !== address);
    const verdict = judgeRows(node, counted, { allowed: () => versions.split(","), expected });
    if (verdict.verdict !== "pass") return verdict;
    const ranges = known(facts.ranges);
    if (ranges === undefined) return unknown(node, facts.ranges);
    // one that still runs holds copies that may be the last but one
    if (ranges.unavailable > 0 || (runs !== undefined && ranges.underReplicated > 0))
      return waitFor("kwdb.ranges-not-well", {
        from: node,
        unavailable: String(ranges.unavailable),
        underReplicated: runs === undefined ? "?" : String(ranges.underReplicated),
      });
    const rest = judgeRest(node, facts);
    if (rest.verdict !== "pass") return rest;
  }
  return expected > 0 && others.length >= expected
    ? pass
    : missing("the coordinator", others.length, expected);
};

export const gates: Gates = {
  "kwdb.cluster-healthy": clusterHealthy,
  "kwdb.others-healthy": othersHealthy,
  "kwdb.node-upgraded": nodeUpgraded,
};

interface Expectation {
  readonly allowed: (row: NodeRow) => readonly string[];
  readonly expected: number;
}

function judgeNode(
  node: string,
  report: ClusterSample["nodes"][string],
  { allowed, expected }: Expectation,
): GateVerdict {
  const facts = "unknown" in report ? undefined : gateOf(report);
  if (facts === undefined) return noFacts(node, report);
  const rows = known(facts.nodes);
  if (rows === undefined) return unknown(node, facts.nodes);
  const verdict = judgeRows(node, rows, { allowed, expected });
  if (verdict.verdict !== "pass") return verdict;
  const ranges = known(facts.ranges);
  if (ranges === undefined) return unknown(node, facts.ranges);
  if (ranges.unavailable > 0 || ranges.underReplicated > 0) {
    return waitFor("kwdb.ranges-not-well", {
      from: node,
      unavailable: String(ranges.unavailable),
      underReplicated: String(ranges.underReplicated),
    });
  }
  return judgeRest(node, facts);
}

function judgeRows(node: string, rows: readonly NodeRow[], { allowed, expected }: Expectation): GateVerdict {
  const bad = rows.find((row) => whyBad(row, allowed(row)) !== undefined);
  if (bad !== undefined)
    return waitFor("kwdb.node-not-well", {
      from: node,
      id: String(bad.id),
      address: bad.address ?? "?",
      why: whyBad(bad, allowed(bad)) ?? "",
    });
  return rows.length < expected ? missing(node, rows.length, expected) : pass;
}

function missing(from: string, seen: number, expected: number): GateVerdict {
  return waitFor("kwdb.nodes-missing", { from, seen: String(seen), expected: String(expected) });
}

function judgeRest(node: string, facts: KwdbGate): GateVerdict {
  if (known(facts.ready) !== true) return unknown(node, facts.ready, "kwdb.node-not-ready");
  const jobs = known(facts.jobs);
  if (jobs === undefined) return unknown(node, facts.jobs);
  const blocking = blockingJobs(jobs);
  if (blocking.length === 0) return pass;
  return waitFor("kwdb.jobs-running", {
    from: node,
    jobs: blocking.map(({ id, type, status }) => `${type} ${id} ${status}`).join(", "),
  });
}

const notTaken = z.object({ unknown: failureSchema });

/** No report, or one in which the engine has nothing to say: for the reason given, where there is one. */
function noFacts(node: string, report: ClusterSample["nodes"][string] | undefined): GateVerdict {
  const given = report === undefined || "unknown" in report ? report : report.facts;
  const why = notTaken.safeParse(given).data?.unknown ?? failure("kwdb.node-unknown", {});
  return { verdict: "wait", why: { ...why, facts: { ...why.facts, node } } };
}

function unknown(
  node: string,
  found: Parameters<typeof whyUnknown>[0],
  otherwise: `kwdb.${string}` = "kwdb.node-unknown",
): GateVerdict {
  const why = whyUnknown(found) ?? failure(otherwise, {});
  return { verdict: "wait", why: { ...why, facts: { ...why.facts, node } } };
}

/** What is wrong with a row, in the vendor's words. */
export function whyBad(row: NodeRow, allowed: readonly string[]): string | undefined {
  if (!row.isLive) return "is_live=false";
  if (!row.isAvailable) return "is_available=false";
  if (row.draining === true) return "draining";
  if (row.decommissioning === true) return "decommissioning";
  if (row.upgrading === true) return "upgrading";
  const build = normalVersion(row.build ?? undefined);
  return build !== undefined && allowed.includes(build) ? undefined : `build=${build ?? "?"}`;
}

function factsOf(sample: ClusterSample, node: string): KwdbGate | undefined {
  const report = sample.nodes[node];
  return report === undefined || "unknown" in report ? undefined : gateOf(report);
}
