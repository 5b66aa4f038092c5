/**
 * A YAML file read into settings by a strict schema. Every complaint names file, line and column, all of them at
 * once; nothing of a file with a complaint is used.
 */
import {
  type Document,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type YAMLError,
} from "yaml";
import type { z } from "zod";

import { orDidYouMean, settingsAt, wordsOf } from "./settings-words.ts";

export interface Complaint {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly text: string;
}

export type SettingsRead<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly complaints: readonly Complaint[] };

export function readSettings<T>(text: string, file: string, schema: z.ZodType<T>): SettingsRead<T> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, strict: true });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  if (document.errors.length > 0) {
    const complaints = document.errors.map((error) => ({ ...at(error.pos[0]), text: faultOf(error) }));
    return { ok: false, complaints };
  }
  const parsed = schema.safeParse(document.toJS({ maxAliasCount: 100 }) ?? {}, { error: wordsOf });
  if (parsed.success) return { ok: true, value: parsed.data };
  const complaints = parsed.error.issues.flatMap((issue) =>
    explain(issue, document, schema).map(({ path, words }) => ({
      ...at(offsetOf(document, path)),
      text: words,
    })),
  );
  return { ok: false, complaints };
}

export function complaintsText(complaints: readonly Complaint[]): string {
  return complaints.map(({ file, line, column, text }) => `${file}:${line}:${column}: ${text}`).join("\n");
}

function faultOf({ code, message }: Pick<YAMLError, "code" | "message">): string {
  if (code === "DUPLICATE_KEY") return "this name stands here twice";
  return (message.split("\n")[0] ?? message).replace(/ at line \d+, column \d+:?$/, "");
}

function explain(
  issue: z.core.$ZodIssue,
  document: Document,
  schema: z.ZodType,
): readonly { path: readonly PropertyKey[]; words: string }[] {
  if (issue.code === "unrecognized_keys") {
    const known = settingsAt(schema, issue.path);
    return issue.keys.map((key) => ({
      path: [...issue.path, key],
      words: `there is no setting "${key}" here${orDidYouMean(key, known)}`,
    }));
  }
  const name = issue.path.map(String).join(".");
  const there = issue.path.length === 0 || document.hasIn(issue.path);
  return [
    {
      path: issue.path,
      words: there ? `${name === "" ? "file" : name}: ${issue.message}` : `"${name}" is missing`,
    },
  ];
}

/** The deepest node of the path that exists: a missing key is blamed on the map that should hold it. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
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
    } else if (isSeq(node)) {
      node = node.items[Number(key)];
      if (isNode(node)) offset = node.range?.[0] ?? offset;
    } else break;
  }
  return offset;
}
