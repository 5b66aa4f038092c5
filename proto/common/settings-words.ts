/**
 * What is wrong with a value of a settings file, in words for the person who wrote it, where the schema has none of its
 * own; and which words may stand in its place.
 */
import { z } from "zod";
import { nearest } from "./nearest.ts";

type Issue = z.core.$ZodRawIssue;

/** A schema's own message comes before these. */
export function wordsOf(issue: Issue): string {
  switch (issue.code) {
    case "invalid_type":
      return `must be ${kinds[issue.expected] ?? issue.expected}, not ${kindOf(issue.input)}`;
    case "invalid_value":
      return `must be ${choiceOf(issue.values.map(String))}${orDidYouMean(issue.input, issue.values.map(String))}`;
    case "too_small":
      return issue.origin === "string" || issue.origin === "array"
        ? "must not be empty"
        : `must be ${issue.inclusive === true ? "at least" : "more than"} ${issue.minimum}`;
    case "too_big":
      return `must be ${issue.inclusive === true ? "at most" : "less than"} ${issue.maximum}`;
    case "invalid_key":
      return issue.issues[0]?.message ?? "this name may not stand here";
    case "custom":
    case "invalid_element":
    case "invalid_format":
    case "invalid_union":
    case "not_multiple_of":
    case "unrecognized_keys":
      return "what stands here is not understood";
  }
}

/** `; did you mean "x"?` where one of the known words is near. */
export function orDidYouMean(typed: unknown, known: readonly string[]): string {
  const near = typeof typed === "string" ? nearest(typed, known) : undefined;
  return near === undefined ? "" : `; did you mean "${near}"?`;
}

const kinds: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "names with values",
  record: "names with values",
};

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "names with values";
  return JSON.stringify(value);
}

function choiceOf(values: readonly string[]): string {
  return values.length === 1 ? `${values[0]}` : `one of ${values.join(", ")}`;
}

interface Shape {
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly additionalProperties?: Shape | boolean;
  readonly items?: Shape;
  readonly anyOf?: readonly Shape[];
  readonly oneOf?: readonly Shape[];
}

/** The settings that may stand at this place of the file. */
export function settingsAt(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  const whole = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as Shape;
  const here = path.reduce<readonly Shape[]>(
    (shapes, key) => shapes.flatMap((shape) => waysOf(below(shape, key))),
    waysOf(whole),
  );
  return here.flatMap(({ properties }) => Object.keys(properties ?? {}));
}

function waysOf(shape: Shape | undefined): readonly Shape[] {
  return shape === undefined ? [] : [shape, ...(shape.anyOf ?? []), ...(shape.oneOf ?? [])];
}

function below(
  { properties, additionalProperties: others, items }: Shape,
  key: PropertyKey,
): Shape | undefined {
  if (typeof key === "number") return items;
  return properties?.[String(key)] ?? (typeof others === "object" ? others : undefined);
}
