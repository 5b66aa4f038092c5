/** Checks of the two sides against each other: versions, and what the target must have that the source has. */
import type { CheckResult } from "../../domain/check.ts";
import { firstOf, type Pair, type PairCheck } from "./pair.ts";
import { judge, result } from "./result.ts";
import { majorOn, type Side, together } from "./sides.ts";

const newestTested = 18;

/** The newest minor of each major that this version of the tool has run against; a later one is as good. */
const minorsKnown: Readonly<Record<number, number>> = {
  10: 23,
  11: 22,
  12: 22,
  13: 23,
  14: 23,
  15: 18,
  16: 14,
  17: 10,
  18: 4,
};

type Sides = Pick<Pair, "source" | "target">;

export function versionsFit({ source, target }: Sides, to: string): readonly CheckResult[] {
  const facts = { from: source.server.version, found: target.server.version, to };
  const isNewer = majorOn(target) > majorOn(source);
  const isTested = majorOn(target) <= newestTested;
  return [
    result({ id: "newer" }, isNewer ? "ok" : "ko", facts),
    result({ id: "wanted-version" }, isWanted(target, to) ? "ok" : "ko", facts),
    result({ id: "target-version" }, isTested ? "ok" : "warn", { ...facts, newest: String(newestTested) }),
    minors([source, target]),
  ];
}

/** `18` is any of that major, `18.4` is that one. */
function isWanted(side: Side, to: string): boolean {
  const [, major, minor] = /^(\d+)(?:\.(\d+))?$/.exec(to) ?? [];
  if (Number(major) !== majorOn(side)) return false;
  return minor === undefined || Number(minor) === minorOf(side);
}

function minorOf({ server }: Side): number {
  return server.versionNum % 10_000;
}

function minors(sides: readonly Side[]): CheckResult {
  const old = sides.filter((side) => minorOf(side) < (minorsKnown[majorOn(side)] ?? 0));
  const found = old.map((side) => {
    const newest = `${majorOn(side)}.${minorsKnown[majorOn(side)]}`;
    return `${side.cluster} runs ${side.server.version}, ${newest} is known`;
  });
  return result({ id: "minor" }, old.length === 0 ? "ok" : "warn", { found: found.join("; ") });
}

/** A copy of the same cluster, or the cluster itself, has the same one. */
export function otherServer({ source, target }: Sides): CheckResult {
  const { systemId } = source.server;
  return result({ id: "other-server" }, systemId === target.server.systemId ? "ko" : "ok", { systemId });
}

/** A dump must be made by tools that are no older than what they read. */
export function toolsOf({ source, target }: Sides): readonly CheckResult[] {
  const wanted = String(majorOn(target));
  return [
    judge({ id: "source-tools" }, source.facts.toolsMajor, (found) => [
      found < majorOn(source) ? "ko" : found < majorOn(target) ? "warn" : "ok",
      { found: String(found), from: String(majorOn(source)), wanted },
    ]),
    judge({ id: "target-tools" }, target.facts.toolsMajor, (found) => [
      found < majorOn(target) ? "warn" : "ok",
      { found: String(found), wanted },
    ]),
  ];
}

const extensionsOf = ({ databases }: Pair) => [
  ...new Map(
    databases.flatMap(({ name: database, extensions }) =>
      extensions.map(({ name, version }) => [`${name} ${version}`, { name, version, database }] as const),
    ),
  ).values(),
];

const extensions: PairCheck = (pair) =>
  judge({ id: "extensions" }, pair.target.facts.available, (available) => {
    const missing = extensionsOf(pair).filter(({ name }) => available[name] === undefined);
    const found = missing.map(({ name, database }) => `${name} (in ${database})`);
    return [missing.length === 0 ? "ok" : "ko", { found: firstOf(found), cluster: pair.target.cluster }];
  });

/** The schema's copy installs the target's default version, whatever the source has. */
const extensionVersions: PairCheck = (pair) =>
  judge({ id: "extension-versions" }, pair.target.facts.available, (available) => {
    const other = extensionsOf(pair).filter(
      ({ name, version }) => available[name] !== undefined && available[name] !== version,
    );
    const found = other.map(({ name, version }) => `${name} ${version}, there ${available[name]}`);
    return [other.length === 0 ? "ok" : "warn", { found: firstOf(found) }];
  });

/** These refuse CREATE EXTENSION, and the schema with it, where they are not loaded at the start. */
const preloadNeeded: ReadonlySet<string> = new Set([
  "pg_cron",
  "timescaledb",
  "citus",
  "pgaudit",
  "pglogical",
]);

const preload: PairCheck = (pair) => {
  const { source, target } = pair;
  return judge(
    { id: "preload" },
    together(source.facts.settings, target.facts.settings),
    ([ours, theirs]) => {
      const has = new Set(librariesIn(theirs));
      const missing = librariesIn(ours).filter((each) => !has.has(each));
      const used = extensionsOf(pair).map(({ name }) => name);
      const isNeeded = missing.some((each) => preloadNeeded.has(each) && used.includes(each));
      const wanted = [...has, ...missing].join(", ");
      const facts = { found: firstOf(missing), wanted, cluster: target.cluster, first: "" };
      return [missing.length === 0 ? "ok" : isNeeded ? "ko" : "warn", facts];
    },
  );
};

export function librariesIn(settings: Readonly<Record<string, string>>): readonly string[] {
  const words = (settings["shared_preload_libraries"] ?? "").split(",");
  return words.map((each) => each.trim().replace(/^"(.*)"$/, "$1")).filter((each) => each !== "");
}

const tablespaces: PairCheck = ({ source, target }) =>
  judge(
    { id: "tablespaces" },
    together(source.facts.tablespaces, target.facts.tablespaces),
    ([ours, theirs]) => {
      const missing = ours.filter((each) => !theirs.includes(each));
      return [
        missing.length === 0 ? "ok" : "ko",
        { found: firstOf(missing), first: missing[0] ?? "", cluster: target.cluster },
      ];
    },
  );

const checksums: PairCheck = ({ source, target }) =>
  judge({ id: "checksums" }, together(source.facts.checksums, target.facts.checksums), ([ours, theirs]) => [
    ours === theirs ? "ok" : "warn",
    { from: ours ? "on" : "off", to: theirs ? "on" : "off" },
  ]);

export const pairChecks: readonly PairCheck[] = [
  extensions,
  extensionVersions,
  preload,
  tablespaces,
  checksums,
];
