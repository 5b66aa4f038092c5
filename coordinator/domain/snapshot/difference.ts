/**
 * The difference of two snapshots, value by value. What moves by itself (load, free memory, sessions,
 * moments of measuring) is left out unless asked for, so that an empty difference means "nothing changed".
 */
import type { Snapshot } from "./snapshot.ts";

export interface Difference {
  readonly cluster: string;
  /** Absent for the cluster's own fields. */
  readonly node?: string;
  /** Dotted path within the record, for example `report.value.facts.running.value.version`. */
  readonly field: string;
  /** JSON text, or undefined where the field was not there. */
  readonly from?: string;
  readonly to?: string;
}

/** Matched against the whole path; each with the reason why it moves by itself. */
const volatile: readonly RegExp[] = [
  /(^|\.)at$/, // moments of measuring
  /(^|\.)(takenAt|doneAt)$/,
  /(^|\.)(load|memory|sessions|jobs|foreign)\./,
  /\.fileSystems\..*(availableBytes|inodesAvailable)$/,
  /\.archive\.value\.(availableBytes|dataBytes)$/,
  /\.archiveRate\./,
  /^notes\./, // the report says the same
  /^clockOffset\./,
  /\.spread\./,
  /(^|\.)(mainPid|pid)$/, // a restart shows in startedAt
  /\.updatedAt$/,
  /^lock\.value\.(nonce|since|by|rollout|stage|epoch)$/,
  /^claim\.value\.(since|by|rollout)$/,
];

export interface DifferenceOptions {
  readonly volatileToo: boolean;
}

export function differences(from: Snapshot, to: Snapshot, options: DifferenceOptions): readonly Difference[] {
  const clusters = unionOf(
    from.clusters.map(({ name }) => name),
    to.clusters.map(({ name }) => name),
  );
  return clusters.flatMap((cluster) => {
    const left = from.clusters.find(({ name }) => name === cluster);
    const right = to.clusters.find(({ name }) => name === cluster);
    const { nodes: leftNodes = [], ...leftRest } = left ?? {};
    const { nodes: rightNodes = [], ...rightRest } = right ?? {};
    const nodes = unionOf(
      leftNodes.map(({ node }) => node),
      rightNodes.map(({ node }) => node),
    );
    const ofNodes = nodes.flatMap((node) =>
      compare(
        leftNodes.find((each) => each.node === node),
        rightNodes.find((each) => each.node === node),
        options,
      ).map((change) => ({ cluster, node, ...change })),
    );
    return [...compare(leftRest, rightRest, options).map((change) => ({ cluster, ...change })), ...ofNodes];
  });
}

interface Change {
  readonly field: string;
  readonly from?: string;
  readonly to?: string;
}

function compare(left: unknown, right: unknown, { volatileToo }: DifferenceOptions): readonly Change[] {
  const before = flatten(left);
  const after = flatten(right);
  return unionOf([...before.keys()], [...after.keys()])
    .filter((field) => before.get(field) !== after.get(field))
    .filter((field) => volatileToo || !volatile.some((pattern) => pattern.test(field)))
    .map((field) => {
      const from = before.get(field);
      const to = after.get(field);
      return { field, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
    });
}

/** Leaves by dotted path. List items that carry an id, path, version or name are keyed by it, not by place. */
function flatten(value: unknown, path = "", into: Map<string, string> = new Map()): Map<string, string> {
  if (value === null || typeof value !== "object") {
    if (value !== undefined) into.set(path, JSON.stringify(value));
    return into;
  }
  const entries = Array.isArray(value)
    ? value.map((item, index) => [keyOf(item, index), item] as const)
    : Object.entries(value);
  for (const [key, item] of entries) flatten(item, path === "" ? key : `${path}.${key}`, into);
  return into;
}

function keyOf(item: unknown, index: number): string {
  if (item !== null && typeof item === "object") {
    for (const name of ["id", "nodeId", "path", "version", "name", "check"]) {
      const key = (item as Record<string, unknown>)[name];
      if (typeof key === "string" || typeof key === "number") return String(key);
    }
  }
  return String(index);
}

function unionOf(left: readonly string[], right: readonly string[]): readonly string[] {
  return [...new Set([...left, ...right])];
}
