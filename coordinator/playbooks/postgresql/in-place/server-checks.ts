/** Checks of the old server itself: what `pg_upgrade` refuses, and what would stop the plan when nobody is served any more. */
import { byDatabase, firstOf } from "../pair.ts";
import { judge, result } from "../result.ts";
import type { ServerCheck } from "./asked.ts";

const longTransactionS = 600;

const superuser: ServerCheck = ({ side: { server, cluster } }) =>
  result({ id: "in-place-superuser" }, server.isSuperuser ? "ok" : "ko", { cluster });

const prepared: ServerCheck = ({ side: { facts } }) =>
  judge({ id: "in-place-prepared" }, facts.preparedTransactions, (all) => [
    all.length === 0 ? "ok" : "ko",
    { found: firstOf(all), first: all[0]?.replace(/ in [^ ]*$/, "") ?? "" },
  ]);

const longTransaction: ServerCheck = ({ side: { facts } }) =>
  judge({ id: "in-place-long-transaction" }, facts.oldestTransactionS, (seconds) => [
    seconds <= longTransactionS ? "ok" : "warn",
    { minutes: String(Math.floor(seconds / 60)) },
  ]);

/** Somebody's fence: after ours came down nobody could tell them apart. */
const open: ServerCheck = ({ side: { facts } }) =>
  judge({ id: "in-place-open" }, facts.fence, ({ isReadOnly }) => [
    isReadOnly ? "ko" : "ok",
    { why: "default_transaction_read_only is on" },
  ]);

const databases: ServerCheck = ({ side: { facts } }) =>
  judge({ id: "in-place-databases" }, facts.databases, (all) => ["ok", { count: String(all.length) }]);

/** `pg_upgrade` connects to each, and refuses where it cannot. */
const closedDatabases: ServerCheck = ({ side: { facts } }) =>
  judge({ id: "in-place-closed-databases" }, facts.closedDatabases, (all) => [
    all.length === 0 ? "ok" : "ko",
    { found: firstOf(all), first: all[0] ?? "" },
  ]);

/** Their new folders would lie beside the old ones, and no step of ours knows them. */
const tablespaces: ServerCheck = ({ side: { facts } }) =>
  judge({ id: "in-place-tablespaces" }, facts.tablespaces, (all) => [
    all.length === 0 ? "ok" : "ko",
    { found: firstOf(all) },
  ]);

const checksums: ServerCheck = ({ side: { facts } }) =>
  judge({ id: "in-place-checksums" }, facts.checksums, (on) => ["ok", { checksums: on ? "on" : "off" }]);

/** regclass, regrole and regtype go over; of the others `pg_upgrade --check` speaks for itself. */
const regColumns: ServerCheck = ({ side: { facts } }) =>
  judge({ id: "in-place-reg-columns" }, facts.databases, (all) => {
    const { found, count } = byDatabase(all, ({ regColumns: names }) => ({ names }));
    return [count === 0 ? "ok" : "warn", { found, count: String(count) }];
  });

const leftOvers: ServerCheck = ({ side: { facts, cluster } }) =>
  judge({ id: "in-place-left-overs" }, facts.leftOvers, (all) => {
    const found = all.filter((each) => !each.startsWith("prior value "));
    return [found.length === 0 ? "ok" : "ko", { cluster, found: firstOf(found) }];
  });

export const serverChecks: readonly ServerCheck[] = [
  superuser,
  prepared,
  longTransaction,
  open,
  databases,
  closedDatabases,
  tablespaces,
  checksums,
  regColumns,
  leftOvers,
];
