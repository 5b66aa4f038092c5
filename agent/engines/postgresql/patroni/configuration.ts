/**
 * What a move adds to Patroni's dynamic configuration, so that its slots stay: matchers of slots that Patroni lets alone, and slots
 * that it keeps over a failover. Each entry bears the rollout's name. Pure: from the configuration as it is to the changes.
 */
import { z } from "zod";
import { isOwnName } from "#proto/engines/postgresql-names.ts";
import { isOf } from "../names.ts";

/** As words of `patronictl edit-config -s`: a path and a value; null takes it out. */
export type Change = readonly [path: string, value: unknown];

const matcher = z.looseObject({ by: z.unknown().optional() });
const configuration = z
  .looseObject({
    ignore_slots: z.array(z.unknown()).nullish().catch(undefined),
    permanent_replication_slots: z.record(z.string(), z.unknown()).nullish().catch(undefined),
    permanent_slots: z.record(z.string(), z.unknown()).nullish().catch(undefined),
    slots: z.record(z.string(), z.unknown()).nullish().catch(undefined),
  })
  .nullish();

type Read = NonNullable<z.infer<typeof configuration>>;

function read(parsed: unknown): Read {
  return configuration.parse(parsed) ?? {};
}

/** The first of these that holds anything is the only one that Patroni looks at. */
const slotKeys = ["permanent_replication_slots", "permanent_slots", "slots"] as const;

function keyOf(config: Read): (typeof slotKeys)[number] {
  return slotKeys.find((key) => Object.keys(config[key] ?? {}).length > 0) ?? "slots";
}

function byOf(entry: unknown): string | undefined {
  const found = matcher.safeParse(entry).data?.by;
  return typeof found === "string" ? found : undefined;
}

/** Also slots of tables' copies, which their subscriber names: any of that database and plugin. */
function matcherOf(by: string, database: string) {
  return { database, plugin: "pgoutput", type: "logical", by };
}

function lacking(config: Read, by: string, databases: readonly string[]): readonly string[] {
  const there = (config.ignore_slots ?? []).filter((each) => byOf(each) === by);
  return databases.filter(
    (name) => !there.some((each) => (each as { database?: unknown }).database === name),
  );
}

/** `by`: the rollout's own name on servers. */
export function ignoring(parsed: unknown, by: string, databases: readonly string[]): readonly Change[] {
  const config = read(parsed);
  const missing = lacking(config, by, databases);
  if (missing.length === 0) return [];
  return [["ignore_slots", [...(config.ignore_slots ?? []), ...missing.map((name) => matcherOf(by, name))]]];
}

/** Slots by name, and the database of each. */
export function declaring(parsed: unknown, slots: Readonly<Record<string, string>>): readonly Change[] {
  const config = read(parsed);
  const key = keyOf(config);
  return Object.entries(slots)
    .filter(([name]) => config[key]?.[name] === undefined)
    .map(([name, database]) => [`${key}.${name}`, { type: "logical", database, plugin: "pgoutput" }]);
}

/** Those of the names that are declared, in whichever of its keys. */
export function undeclaring(parsed: unknown, names: readonly string[]): readonly Change[] {
  return declared(read(parsed)).flatMap(({ key, name }) =>
    names.includes(name) ? [[`${key}.${name}`, null] as const] : [],
  );
}

/** Whatever a rollout has added goes; what others have put there meanwhile stays. */
export function releasing(parsed: unknown, rollout: string): readonly Change[] {
  const config = read(parsed);
  const names = declared(config).map(({ name }) => name);
  const slots = undeclaring(
    parsed,
    names.filter((name) => isOf(rollout, name)),
  );
  const all = config.ignore_slots ?? [];
  const left = all.filter((each) => !isOf(rollout, byOf(each) ?? ""));
  if (left.length === all.length) return slots;
  return [...slots, ["ignore_slots", left.length === 0 ? null : left]];
}

/** Of whatever rollout: its name, and what is there. */
export function oursIn(parsed: unknown): readonly { readonly name: string; readonly says: string }[] {
  const config = read(parsed);
  return [
    ...declared(config)
      .filter(({ name }) => isOwnName(name))
      .map(({ name, key }) => ({ name, says: `${key} ${name} in Patroni's configuration` })),
    ...(config.ignore_slots ?? []).flatMap((each) => {
      const name = byOf(each) ?? "";
      return isOwnName(name) ? [{ name, says: `ignore_slots of ${name} in Patroni's configuration` }] : [];
    }),
  ];
}

function declared(config: Read) {
  return slotKeys.flatMap((key) => Object.keys(config[key] ?? {}).map((name) => ({ key, name })));
}

export function wordsOf(changes: readonly Change[]): readonly string[] {
  return changes.flatMap(([path, value]) => ["-s", `${path}=${JSON.stringify(value)}`]);
}
