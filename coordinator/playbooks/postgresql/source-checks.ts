/** Checks of the source as a whole: is it one that can be left, and does nothing stand in the way of its slots? */
import type { CheckResult } from "../../domain/check.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import { byDatabase, firstOf, type SourceCheck } from "./pair.ts";
import { judge, result } from "./result.ts";
import type { PostgresqlClusterSettings } from "./settings.ts";
import { databasesOf, isUsed, majorOn, type Side, together } from "./sides.ts";

const oldestMajor = 10;
const longTransactionS = 600;

/** Asked by itself: where the databases are not known, nothing that is in them is. */
export function databasesKnown(input: PlaybookInput, { facts }: Side): CheckResult {
  return judge({ id: "databases" }, facts.databases, (all) => {
    const names = databasesOf(input) ?? [];
    const missing = names.filter((name) => !all.some((each) => each.name === name));
    const told = { databases: firstOf(names), missing: missing.join(", ") };
    if (names.length === 0) return ["ko", { ...told, missing: "there is none that holds anything" }];
    return [missing.length === 0 ? "ok" : "ko", told];
  });
}

export function closedDatabases({ facts }: Side): CheckResult {
  return judge({ id: "closed-databases" }, facts.closedDatabases, (all) => [
    all.length === 0 ? "ok" : "warn",
    { found: firstOf(all) },
  ]);
}

/** The fence is one of the whole server: who uses them is served by nobody from the cut-over on. */
export function databasesLeft(
  input: PlaybookInput,
  { oldData }: Pick<PostgresqlClusterSettings, "oldData">,
  { facts }: Side,
): CheckResult {
  const both = together(facts.databases, facts.closedDatabases);
  const isRemoved = oldData === "remove";
  const spec = { id: "databases-left", ...(isRemoved ? {} : { yields: "acknowledge" as const }) };
  return judge(spec, both, ([all, closed]) => {
    const names = databasesOf(input) ?? [];
    const used = all.filter((each) => isUsed(each) && !names.includes(each.name)).map(({ name }) => name);
    const found = isRemoved ? [...used, ...closed] : used;
    return [found.length === 0 ? "ok" : isRemoved ? "ko" : "unknown", { found: firstOf(found) }];
  });
}

/** Before 10 there is no logical replication of its own; pglogical of 9.4 to 9.6 was tried by nobody here. */
export function sourceVersion(source: Side): CheckResult {
  const found = source.server.version;
  return result({ id: "source-version" }, majorOn(source) >= oldestMajor ? "ok" : "ko", { found });
}

/** A slot's making waits for them for ever, and what they hold comes late. */
const prepared: SourceCheck = ({ source }) =>
  judge({ id: "prepared-transactions" }, source.facts.preparedTransactions, (all) => [
    all.length === 0 ? "ok" : "ko",
    { found: firstOf(all), first: all[0]?.replace(/ in [^ ]*$/, "") ?? "" },
  ]);

const longTransaction: SourceCheck = ({ source }) =>
  judge({ id: "long-transaction" }, source.facts.oldestTransactionS, (seconds) => [
    seconds <= longTransactionS ? "ok" : "warn",
    { minutes: String(Math.floor(seconds / 60)) },
  ]);

/** Somebody's fence stands already: after ours came down nobody could tell them apart. */
const open: SourceCheck = ({ source, databases }) =>
  judge({ id: "source-open" }, source.facts.fence, ({ isReadOnly, open: taking }) => {
    const shut = databases.map(({ name }) => name).filter((name) => !taking.includes(name));
    const why = [
      ...(isReadOnly ? ["default_transaction_read_only is on"] : []),
      ...(shut.length > 0 ? [`connection limit 0: ${firstOf(shut)}`] : []),
    ];
    return [why.length === 0 ? "ok" : "ko", { why: why.join("; ") }];
  });

const collationVersion: SourceCheck = ({ databases }) => {
  const { found, count } = byDatabase(databases, ({ collationVersion: version }) => ({
    names: version === null || version.made === version.now ? [] : [`${version.made}, now ${version.now}`],
  }));
  return result({ id: "collation-version" }, count === 0 ? "ok" : "warn", { found });
};

export const sourceChecks: readonly SourceCheck[] = [prepared, longTransaction, open, collationVersion];
