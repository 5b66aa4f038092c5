/** What a plan over a half-changed node says: what was measured, what it does and why, and what else could be done. */
import { type Failure, failure } from "#proto/common/failure.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import { evidenceText } from "./evidence.ts";
import { type HalfWay, whyNotFinished } from "./half-way.ts";
import { mayKeepData } from "./half-way-checks.ts";

export function finishingFindings(input: PlaybookInput, half: HalfWay): readonly Failure[] {
  const facts = { ...factsOf(input, half), to: input.wish.to };
  return [
    evidenceText(half.node.name, half.evidence),
    failure(`half-way.kwdb.finish-${startOf(half, input.wish.to)}`, facts),
    ...alsoTold(half),
    failure(mayKeepData(half) ? "half-way.kwdb.or-back" : "half-way.kwdb.no-back", facts),
  ];
}

export function puttingBackFindings(input: PlaybookInput, half: HalfWay): readonly Failure[] {
  const { newer } = half;
  const facts = factsOf(input, half);
  const why = newer === undefined ? undefined : whyNotFinished(half, newer);
  return [
    evidenceText(half.node.name, half.evidence),
    failure("half-way.kwdb.back", facts),
    failure("half-way.kwdb.configuration-stays", facts),
    ...alsoTold(half),
    ...(why === undefined
      ? [failure("half-way.kwdb.or-finish", { ...facts, to: newer ?? "VERSION" })]
      : [why]),
  ];
}

/** What the script is going to find. */
function startOf({ evidence: { file, binary } }: HalfWay, to: string): "whole" | "behind" | "anew" {
  if (file === to && binary === to) return "whole";
  return binary === to ? "behind" : "anew";
}

function alsoTold({ node, runs, hasClient, wantsFlag }: HalfWay): readonly Failure[] {
  const facts = { node: node.name };
  return [
    ...(runs && !hasClient ? [failure("half-way.kwdb.not-drained", facts)] : []),
    ...(wantsFlag ? [failure("half-way.kwdb.flag", facts)] : []),
  ];
}

function factsOf({ cluster }: PlaybookInput, { node, evidence, was, newer }: HalfWay): Failure["facts"] {
  const { file, binary } = evidence;
  return { cluster: cluster.name, node: node.name, file, binary, was, newer: newer ?? "none" };
}
