/** Many nodes in few rows: those alike in cluster, version, state and findings are one; the odd ones come first. */
import { render } from "#proto/catalogue/render.ts";
import type { Failure } from "#proto/common/failure.ts";

export interface Member {
  readonly cluster: string;
  readonly node: string;
  readonly version: string;
  readonly state: string;
  /** 0: as it should be; the higher, the further up. */
  readonly oddity: number;
  readonly findings: readonly Failure[];
}

export interface Group {
  readonly clusters: readonly string[];
  readonly nodes: readonly string[];
  readonly first: Member;
}

export function groupsOf(members: readonly Member[]): readonly Group[] {
  const groups = new Map<string, { clusters: Set<string>; nodes: string[]; first: Member }>();
  for (const member of members) {
    const key = keyOf(member);
    const group = groups.get(key) ?? { clusters: new Set(), nodes: [], first: member };
    group.clusters.add(member.cluster);
    group.nodes.push(member.node);
    groups.set(key, group);
  }
  return [...groups.values()]
    .map(({ clusters, nodes, first }) => ({ clusters: [...clusters], nodes, first }))
    .sort((left, right) => right.first.oddity - left.first.oddity || left.nodes.length - right.nodes.length);
}

/** Findings of several nodes differ by the node's name only: that is no difference. */
function keyOf({ version, state, oddity, findings }: Member): string {
  const alike = findings.map(({ code, facts }) => [code, Object.entries({ ...facts, node: "" }).sort()]);
  return JSON.stringify([version, state, oddity, alike]);
}

/** What was found, told of all nodes of the group. */
export function findingsOf({ nodes, first }: Pick<Group, "nodes" | "first">): string {
  return first.findings
    .map(
      ({ code, facts }) =>
        render({ code, facts: nodes.length > 1 ? { ...facts, node: "each" } : facts }).says,
    )
    .join("; ");
}
