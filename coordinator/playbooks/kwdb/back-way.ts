/**
 * Which way leads back from a rollout. On kept data, as long as the new version cannot have written to it, or the hop
 * leaves its format alone; else from the archives of one common stop. Never from an older image of one node.
 */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import { known } from "#proto/common/measured.ts";
import type { KwdbArchive } from "#proto/engines/kwdb.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import { programsOf } from "../../domain/stage-programs.ts";
import type { Undone, UndoneNode } from "../../domain/undone.ts";
import { sqlAddress } from "./address.ts";
import { keepsDataFormat } from "./data-format.ts";
import { evidenceOf } from "./evidence.ts";
import { fullOf, runningVersion } from "./facts.ts";
import { containerOf } from "./form.ts";

export interface BackWay {
  readonly strategy: "rolling" | "offline";
  /** `kept`: the data stays as it is; `archives`: it becomes what it was at the common stop. */
  readonly data: "kept" | "archives";
  /** The new version has run somewhere: what it wrote is kept, or lost. */
  readonly hasServed: boolean;
  /** Nodes that get the old package. */
  readonly nodes: readonly string[];
}

/** Refused: `kwdb.back-not-served`, `kwdb.back-nothing`, `kwdb.back-no-archives`, `kwdb.back-data-in-volume`, `kwdb.back-other-format`. */
export function backWayOf(input: PlaybookInput, back: Undone): Outcome<BackWay> {
  const { cluster, wish } = input;
  const { from, to, method } = back.plan;
  const facts = { cluster: cluster.name, rollout: back.rollout, from, to };
  if (method !== cluster.deployment)
    return fail("kwdb.back-not-served", { ...facts, deployment: cluster.deployment, method });
  const nodes = back.nodes.filter((each) => isTouched(each) && !isBack(input, each.node, from));
  if (nodes.length === 0) return fail("kwdb.back-nothing", facts);
  const hasServed = nodes.some(({ node, begun }) => begun.includes("start") || isRunning(input, node, to));
  const way = { nodes: nodes.map(({ node }) => node), hasServed };
  const mayMix = cluster.topology === "multi-replica";
  const isRolling =
    wish.strategy === undefined ? back.plan.strategy === "rolling" : wish.strategy === "rolling";
  if (isRolling && !mayMix && cluster.nodes.length > 1)
    return fail("kwdb.strategy-not-served", {
      ...facts,
      topology: cluster.topology,
      strategy: "rolling",
      open: "offline",
    });
  const keeps = !hasServed || keepsDataFormat(from, to);
  if (isRolling)
    return keeps
      ? succeed({ ...way, strategy: "rolling", data: "kept" })
      : fail("kwdb.back-other-format", facts);
  if (!hasServed) return succeed({ ...way, strategy: "offline", data: "kept" });
  const lacking = cluster.nodes.filter(
    ({ name }) => archiveOf(fullOf(input.reports[name]), name, back.rollout) === undefined,
  );
  const inVolume = cluster.nodes.flatMap(({ name }) => {
    const volume = containerOf(input, name)?.dataVolume;
    return volume === undefined ? [] : [{ node: name, volume }];
  })[0];
  if (lacking.length === 0 && inVolume === undefined)
    return succeed({ ...way, strategy: "offline", data: "archives" });
  // of one node alone nobody else has gone on
  if ((mayMix || cluster.nodes.length === 1) && keeps && wish.strategy === undefined)
    return succeed({ ...way, strategy: "rolling", data: "kept" });
  // the hop leaves the format alone, and nobody has asked for archives: all of them on the data that they have
  const isAsked = cluster.nodes.some(({ name }) => argsOf(back, name, "archive-data") !== undefined);
  if (keeps && !mayMix && !isAsked) return succeed({ ...way, strategy: "offline", data: "kept" });
  if (lacking.length === 0) return fail("kwdb.back-data-in-volume", { ...facts, ...inVolume });
  return fail("kwdb.back-no-archives", { ...facts, nodes: lacking.map(({ name }) => name).join(", ") });
}

/** Steps that change what would be started, and can be undone until it is: with a node that has begun them it may be either. */
const changes = new Set(["exchange-build", "set-aside", "create-container", "change-image-line"]);

function isTouched({ isChanged, begun }: UndoneNode): boolean {
  return isChanged || begun.some((id) => changes.has(id));
}

/** The node's own, made while all nodes were stopped in this rollout, and proven. */
export function archiveOf(
  facts: ReturnType<typeof fullOf>,
  node: string,
  rollout: string,
): (KwdbArchive & { readonly about: NonNullable<KwdbArchive["about"]> }) | undefined {
  for (const { about, ...archive } of known(facts?.archives) ?? []) {
    if (about?.rollout !== rollout || about.node !== node) continue;
    // one that was set aside is of an earlier try
    if (about.kind === "cluster-stop" && about.isProven && archive.path.endsWith(".tar"))
      return { ...archive, about };
  }
  return undefined;
}

/** Arguments of a step that the rollout had for a node; undefined where it had none. */
export function argsOf(
  { plan }: Undone,
  node: string,
  verb: string,
): (Readonly<Record<string, string>> & { readonly wireStage: string }) | undefined {
  for (const { wireStage, program } of plan.stages.flatMap(programsOf)) {
    if (program.node !== node) continue;
    const found = program.steps.find(({ call }) => call.verb === `kwdb.${verb}`);
    if (found !== undefined) return { ...found.call.args, wireStage };
  }
  return undefined;
}

function isRunning({ reports }: PlaybookInput, node: string, version: string): boolean {
  return runningVersion(fullOf(reports[node])) === version;
}

/** It serves at the old version already, as after an operator has done it by hand. */
function isBack(input: PlaybookInput, name: string, from: string): boolean {
  const node = input.cluster.nodes.find((each) => each.name === name);
  const facts = fullOf(input.reports[name]);
  if (node === undefined || facts === undefined) return false;
  const { state, file } = evidenceOf(facts, sqlAddress(input, node));
  return state === "serving" && file === from;
}
