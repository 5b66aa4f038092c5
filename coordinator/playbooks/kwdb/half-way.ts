/**
 * A node that somebody has left half-changed, by deploy.sh and outside any rollout: which one, what it shows, and which
 * of two things may be done with it. One node alone, and only while all the others serve; else nothing is planned.
 */
import { type Failure, failure } from "#proto/common/failure.ts";
import { known } from "#proto/common/measured.ts";
import type { NodeEntry } from "../../domain/inventory.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import { sqlAddress } from "./address.ts";
import { type Evidence, evidenceOf, isHalfWay } from "./evidence.ts";
import { fullOf, ownRow } from "./facts.ts";
import { whyBad } from "./gates.ts";
import { isMarkedUpgrading } from "./left-overs.ts";
import { compareVersions, isVersion, mayHop } from "./version-policy.ts";
import { wayOf } from "./way.ts";

export interface HalfWay {
  readonly node: NodeEntry;
  readonly evidence: Evidence;
  /** The oldest version that any node shows: what it is finished from, or put back to. */
  readonly was: string;
  /** Of what was installed over it; undefined where nothing of that is left. */
  readonly newer: string | undefined;
  /** A process of the database runs there: it is stopped by the plan. */
  readonly runs: boolean;
  /** Its own client is gone: nothing drains it. */
  readonly hasClient: boolean;
  /** Of an online upgrade: its start takes the flag, and the flag goes afterwards. */
  readonly wantsFlag: boolean;
  readonly isMarked: boolean;
}

interface Seen {
  readonly node: NodeEntry;
  readonly evidence: Evidence;
}

/** undefined: none is half-way, or it is not for a plan to say what becomes of it. */
export function halfWayOf(input: PlaybookInput): HalfWay | undefined {
  const { cluster, reports } = input;
  if (cluster.deployment !== "script" || !goesNodeByNode(input)) return undefined;
  const seen = cluster.nodes.flatMap((node): readonly Seen[] => {
    const facts = fullOf(reports[node.name]);
    return facts === undefined ? [] : [{ node, evidence: evidenceOf(facts, sqlAddress(input, node)) }];
  });
  if (seen.length < cluster.nodes.length) return undefined;
  const was = seen
    .flatMap(({ evidence }) => versionsIn(evidence))
    .toSorted(compareVersions)
    .at(0);
  if (was === undefined) return undefined;
  const half = seen.find(({ evidence }) => isHalf(evidence, was));
  if (half === undefined) return undefined;
  // a second half-changed one does not serve as it should, whatever runs there
  const isFine = seen.every((each) => each === half || isServing(input, each));
  return isFine ? described(input, half, was) : undefined;
}

function goesNodeByNode({ cluster, wish }: PlaybookInput): boolean {
  if (cluster.nodes.length === 1) return true;
  const way = wayOf({ cluster, wish: { ...wish, ...methodOf(wish) } });
  return way.ok && way.value.strategy === "rolling";
}

export const putBackMethod = "put-back";

/** A plan that is made again names its own method, which is none that replaces programs. */
function methodOf({ method }: PlaybookInput["wish"]): { readonly method?: "script" } {
  return method === putBackMethod ? { method: "script" } : {};
}

/** Whole at a newer version than another and down: nobody has started what was installed. */
function isHalf(evidence: Evidence, was: string): boolean {
  return isHalfWay(evidence) || (evidence.state === "stopped" && evidence.file !== was);
}

function isServing(input: PlaybookInput, { node, evidence }: Seen): boolean {
  const facts = fullOf(input.reports[node.name]);
  const row = ownRow(known(facts?.nodes) ?? [], sqlAddress(input, node));
  if (evidence.state !== "serving" || known(facts?.ready) !== true || row === undefined) return false;
  return whyBad(row, [evidence.running]) === undefined;
}

function described(input: PlaybookInput, { node, evidence }: Seen, was: string): HalfWay {
  const { file, binary, running, hasFlag } = evidence;
  const isMarked = isMarkedUpgrading(input, node);
  return {
    node,
    evidence,
    was,
    newer: [binary, file, running].find((version) => isVersion(version) && version !== was),
    runs: running !== "none",
    hasClient: binary !== "none",
    wantsFlag: isMarked || hasFlag,
    isMarked,
  };
}

function versionsIn({ file, binary, running }: Evidence): readonly string[] {
  return [file, binary, running].filter(isVersion);
}

/**
 * The vendor's script takes only what is older by its version file, and never its own version. What is there of a third
 * version is no half of this upgrade, unless it may be upgraded to it.
 */
export function whyNotFinished({ node, evidence, was }: HalfWay, to: string): Failure | undefined {
  const { file, binary, running } = evidence;
  const facts = { node: node.name, file, binary, running, was, to };
  if (file === to && binary !== to) return failure("kwdb.half-way-script-refuses", facts);
  return versionsIn(evidence).every((version) => version === to || mayHop(version, to).may)
    ? undefined
    : failure("kwdb.half-way-other-version", facts);
}
