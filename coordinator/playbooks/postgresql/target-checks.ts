/** Checks of the databases of the target: nobody else's are written into, and ours can be made as they are. */
import type { PgDatabase } from "#proto/engines/postgresql.ts";
import { byDatabase, firstOf, type Pair, type PairCheck } from "./pair.ts";
import { judge, result } from "./result.ts";
import { isUsed, majorOn, together } from "./sides.ts";

const empty: PairCheck = ({ target, databases }) =>
  judge({ id: "target-empty" }, target.facts.databases, (all) => {
    const wanted = new Set(databases.map(({ name }) => name));
    const found = all.filter((each) => wanted.has(each.name) && isUsed(each)).map(nameAndCount);
    return [found.length === 0 ? "ok" : "ko", { cluster: target.cluster, found: firstOf(found) }];
  });

/** A server on which somebody works already may be the wrong one. */
const others: PairCheck = ({ target, databases }) =>
  judge({ id: "target-others", yields: "acknowledge" }, target.facts.databases, (all) => {
    const wanted = new Set(databases.map(({ name }) => name));
    const found = all.filter((each) => !wanted.has(each.name) && isUsed(each)).map(nameAndCount);
    return [found.length === 0 ? "ok" : "unknown", { cluster: target.cluster, found: firstOf(found) }];
  });

/** What stands now is what the cut-over would put back: by then the old server is closed for good. */
const open: PairCheck = ({ target, databases }) =>
  judge(
    { id: "target-open" },
    together(target.facts.fence, target.facts.databases),
    ([{ isReadOnly }, all]) => {
      const wanted = new Set(databases.map(({ name }) => name));
      const shut = all.filter((each) => wanted.has(each.name) && each.connectionLimit === 0);
      const why = [
        ...(isReadOnly ? ["default_transaction_read_only is on"] : []),
        ...(shut.length > 0 ? [`connection limit 0: ${firstOf(shut.map(({ name }) => name))}`] : []),
      ];
      return [why.length === 0 ? "ok" : "ko", { cluster: target.cluster, why: why.join("; ") }];
    },
  );

/** In a database that is there already its extensions' rows are somebody's; in one that the plan makes they give way. */
const extensionRows: PairCheck = ({ target, databases }) =>
  judge({ id: "target-extension-rows" }, target.facts.databases, (all) => {
    const found = databases.flatMap(({ name: database, extensionTables: ours }) => {
      const theirs = all.find(({ name }) => name === database)?.extensionTables ?? [];
      const both = theirs.filter((each) => ours.includes(each));
      return both.length === 0 ? [] : [{ database, both }];
    });
    const [first] = found;
    // each is `table of extension`
    const tables = (first?.both ?? []).map((each) => each.slice(0, each.lastIndexOf(" of ")));
    return [
      first === undefined ? "ok" : "ko",
      {
        cluster: target.cluster,
        found: firstOf(found.map(({ database, both }) => `${database}: ${both.join(", ")}`)),
        database: first?.database ?? "",
        tables: tables.join(", "),
      },
    ];
  });

function nameAndCount({ name, userTables }: PgDatabase): string {
  return `${name} (${userTables} relations)`;
}

/** Where the target has a database of that name already, which is then not made by us. */
const differing = (
  { databases }: Pair,
  all: readonly PgDatabase[],
  of: (database: PgDatabase) => string,
): readonly string[] =>
  databases.flatMap((ours) => {
    const theirs = all.find(({ name }) => name === ours.name);
    return theirs === undefined || of(theirs) === of(ours)
      ? []
      : [`${ours.name}: ${of(ours)}, there ${of(theirs)}`];
  });

const encoding: PairCheck = (pair) =>
  judge({ id: "encoding" }, pair.target.facts.databases, (all) => {
    const found = differing(pair, all, (each) => each.encoding);
    return [found.length === 0 ? "ok" : "ko", { found: firstOf(found), cluster: pair.target.cluster }];
  });

const locale: PairCheck = (pair) =>
  judge({ id: "locale" }, pair.target.facts.databases, (all) => {
    const found = differing(pair, all, (each) =>
      [each.provider, nameOfLocale(each.collate), nameOfLocale(each.ctype), each.locale ?? ""]
        .join(" ")
        .trim(),
    );
    return [found.length === 0 ? "ok" : "warn", { found: firstOf(found), cluster: pair.target.cluster }];
  });

/** Those that every C library has. */
const always: ReadonlySet<string> = new Set(["C", "POSIX", "C.utf8"]);

/** CREATE DATABASE refuses a locale that the host does not have; one added after initdb is not always listed. */
const locales: PairCheck = ({ target, databases }) =>
  judge({ id: "locales" }, target.facts.locales, (all) => {
    const there = new Set(all.map(nameOfLocale));
    const wanted = new Set(databases.flatMap(({ collate, ctype }) => [collate, ctype]).map(nameOfLocale));
    const missing = [...wanted].filter((each) => !always.has(each) && !there.has(each));
    return [
      missing.length === 0 ? "ok" : "warn",
      { found: firstOf(missing), first: missing[0] ?? "", cluster: target.cluster },
    ];
  });

/** de_DE.UTF-8 and de_DE.utf8 are one. */
function nameOfLocale(name: string): string {
  return name.replace(/\.utf-?8$/i, ".utf8");
}

const refusesGenerated = 18;

/** For the way back the target publishes them too: its UPDATE would fail from the first moment that it is open. */
const generatedIdentity: PairCheck = ({ target, databases }) => {
  const { found, count } = byDatabase(
    databases,
    ({ generatedIdentity: names, counts: { generatedIdentity: all } }) => ({
      names,
      ...(all === undefined ? {} : { count: all }),
    }),
  );
  const isRefused = count > 0 && majorOn(target) >= refusesGenerated;
  return result({ id: "generated-identity" }, isRefused ? "ko" : "ok", {
    found,
    version: target.server.version,
  });
};

export const targetChecks: readonly PairCheck[] = [
  generatedIdentity,
  empty,
  extensionRows,
  others,
  open,
  encoding,
  locale,
  locales,
];
