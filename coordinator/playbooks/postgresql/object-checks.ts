/** What is in the databases of the source and is not carried, or not as it is: a list for each kind, and a decision. */
import type { PgDatabase } from "#proto/engines/postgresql.ts";
import { isOwnName } from "#proto/engines/postgresql-names.ts";
import type { About } from "../result.ts";
import { byDatabase, type SourceCheck } from "./pair.ts";
import { result } from "./result.ts";

type ListName = {
  [Name in keyof PgDatabase]-?: PgDatabase[Name] extends string[] ? Name : never;
}[keyof PgDatabase];

interface Kind {
  readonly id: string;
  readonly list: ListName;
  /** `unknown` asks for a person's word: what is lost cannot be measured, nor what applications will do. */
  readonly status: "ko" | "warn" | "unknown";
}

/** Without rows of theirs a person may have to live afterwards: these ask. The others are told. */
const kinds: readonly Kind[] = [
  { id: "identity-impossible", list: "identityImpossible", status: "ko" },
  { id: "full-incomparable", list: "fullIncomparable", status: "unknown" },
  { id: "foreign-tables", list: "foreignTables", status: "warn" },
  { id: "foreign-servers", list: "foreignServers", status: "warn" },
  { id: "materialized-views", list: "materializedViews", status: "warn" },
  { id: "event-triggers", list: "eventTriggers", status: "warn" },
  { id: "always-triggers", list: "alwaysTriggers", status: "warn" },
  { id: "row-security", list: "rowSecurity", status: "warn" },
  { id: "reg-columns", list: "regColumns", status: "warn" },
  { id: "extension-tables", list: "extensionTables", status: "warn" },
  { id: "source-publications", list: "publications", status: "unknown" },
];

const yields = (status: Kind["status"]): Pick<About, "yields"> =>
  status === "unknown" ? { yields: "acknowledge" } : {};

const listCheck =
  ({ id, list, status }: Kind): SourceCheck =>
  ({ databases }) => {
    const { found, count } = byDatabase(databases, (database) => {
      const names = database[list].filter((name) => !isOwnName(name));
      const all = database.counts[list];
      return { names, ...(all === undefined ? {} : { count: all }) };
    });
    return result({ id, ...yields(status) }, count === 0 ? "ok" : status, { found, count: String(count) });
  };

const hypertables: SourceCheck = ({ databases }) => {
  const having = databases.filter((database) => database.hypertables > 0);
  const found = having.map(({ name, hypertables: count }) => `${name}: ${count}`).join(", ");
  return result({ id: "hypertables" }, having.length === 0 ? "ok" : "ko", { found });
};

/** Fixed by the plan, table by table, and put back at its end. */
const identity: SourceCheck = ({ databases }) => {
  const { found, count } = byDatabase(databases, (database) => {
    const { withoutIdentity, identityByIndex, identityImpossible, counts } = database;
    const byIndex = new Map(identityByIndex.map((each) => [tableIn(each), each]));
    const names = withoutIdentity
      .filter((table) => !identityImpossible.includes(table))
      .map((table) => byIndex.get(table) ?? `${table} FULL`);
    const impossible = counts["identityImpossible"] ?? identityImpossible.length;
    return { names, count: (counts["withoutIdentity"] ?? withoutIdentity.length) - impossible };
  });
  return result({ id: "identity" }, count === 0 ? "ok" : "warn", { found, count: String(count) });
};

/** `schema.table` of `schema.table using index`; a name may hold that word in quotes, so the last one counts. */
function tableIn(text: string): string {
  return text.slice(0, text.lastIndexOf(" using "));
}

/** Jobs are rows of the extension's own tables, and go to the target with all others; on a closed server none of them writes. */
const cron: SourceCheck = ({ databases }) => {
  const having = databases.filter(({ extensions }) => extensions.some(({ name }) => name === "pg_cron"));
  const found = having.map(({ name }) => name).join(", ");
  return result({ id: "cron" }, having.length === 0 ? "ok" : "warn", { found });
};

export const objectChecks: readonly SourceCheck[] = [identity, ...kinds.map(listCheck), hypertables, cron];
