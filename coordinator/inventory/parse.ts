/**
 * Inventory text to inventory. Every complaint names file, line and column, all of them at once, and
 * nothing is applied while there is one.
 */
import { type Document, isMap, isNode, isPair, isScalar, LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { parseDuration } from "#proto/common/duration.ts";
import type { ClusterEntry, GatePolicy, Inventory } from "../domain/inventory.ts";
import { type InventoryDocument, inventorySchema } from "./schema.ts";

export interface Complaint {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly text: string;
}

export type Parsed =
  | { readonly ok: true; readonly inventory: Inventory }
  | { readonly ok: false; readonly complaints: readonly Complaint[] };

interface Place {
  readonly line: number;
  readonly column: number;
}

export function parseInventory(text: string, file: string): Parsed {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, strict: true });
  const complain = (place: Place, words: string): Complaint => ({ file, ...place, text: words });
  if (document.errors.length > 0) {
    return {
      ok: false,
      complaints: document.errors.map((error) =>
        complain(
          at(lines, error.pos[0]),
          error.code === "DUPLICATE_KEY" ? "this name stands here twice" : firstLine(error.message),
        ),
      ),
    };
  }
  const parsed = inventorySchema.safeParse(document.toJS({ maxAliasCount: 100 }));
  if (!parsed.success) {
    const complaints = parsed.error.issues.flatMap((issue) => explain(issue, document, lines, complain));
    return { ok: false, complaints };
  }
  const twice = placesOfSharedNodes(parsed.data, document, lines);
  if (twice.length > 0)
    return { ok: false, complaints: twice.map(({ place, words }) => complain(place, words)) };
  return { ok: true, inventory: toInventory(parsed.data) };
}

export function renderComplaints(complaints: readonly Complaint[]): string {
  return complaints.map(({ file, line, column, text }) => `${file}:${line}:${column}: ${text}`).join("\n");
}

function explain(
  issue: z.core.$ZodIssue,
  document: Document,
  lines: LineCounter,
  complain: (place: Place, words: string) => Complaint,
): readonly Complaint[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) =>
      complain(placeOf(document, [...issue.path, key], lines), `there is no setting "${key}" here`),
    );
  }
  const name = String(issue.path.at(-1) ?? "file");
  const words = document.hasIn(issue.path) ? `${name}: ${issue.message}` : `"${name}" is missing`;
  return [complain(placeOf(document, issue.path, lines), words)];
}

/** The deepest node of the path that exists: a missing key is blamed on the map that should hold it. */
function placeOf(document: Document, path: readonly PropertyKey[], lines: LineCounter): Place {
  let node: unknown = document.contents;
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
  for (const key of path) {
    if (isMap(node)) {
      const pair = node.items.find(
        (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(key),
      );
      if (pair === undefined) break;
      if (isScalar(pair.key)) offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else if (node !== null && typeof node === "object" && "items" in node && Array.isArray(node.items)) {
      node = node.items[Number(key)];
      if (isNode(node)) offset = node.range?.[0] ?? offset;
    } else break;
  }
  return at(lines, offset);
}

function at(lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

function firstLine(text: string): string {
  return (text.split("\n")[0] ?? text).replace(/ at line \d+, column \d+:?$/, "");
}

/** An agent serves one node of one cluster, so a node name or address may stand only once in the fleet. */
function placesOfSharedNodes(parsed: InventoryDocument, document: Document, lines: LineCounter) {
  const seen = new Map<string, string>();
  const twice: { place: Place; words: string }[] = [];
  for (const [cluster, { nodes }] of Object.entries(parsed.clusters)) {
    for (const [node, { address }] of Object.entries(nodes)) {
      for (const [what, key] of [
        ["node", `node ${node}`],
        ["address", `address ${address}`],
      ] as const) {
        const earlier = seen.get(key);
        if (earlier !== undefined) {
          const place = placeOf(document, ["clusters", cluster, "nodes", node], lines);
          twice.push({
            place,
            words: `${what} "${what === "node" ? node : address}" is already in ${earlier}`,
          });
        } else seen.set(key, `cluster "${cluster}"`);
      }
    }
  }
  return twice;
}

function toInventory(parsed: InventoryDocument): Inventory {
  return {
    format: 1,
    clusters: Object.entries(parsed.clusters).map(([name, cluster]): ClusterEntry => {
      const { freeze, gates, nodes, settings, ...rest } = cluster;
      return {
        name,
        ...rest,
        nodes: Object.entries(nodes).map(([node, { address }]) => ({ name: node, address })),
        gates: toPolicy(gates),
        settings: Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, String(value)])),
        ...(freeze === undefined ? {} : { freeze }),
      };
    }),
  };
}

function toPolicy(gates: InventoryDocument["clusters"][string]["gates"]): GatePolicy {
  return { everyMs: ms(gates.every), dwellMs: ms(gates.dwell), limitMs: ms(gates.limit) };
}

function ms(text: string): number {
  const parsed = parseDuration(text);
  return parsed.ok ? parsed.value : 0;
}
