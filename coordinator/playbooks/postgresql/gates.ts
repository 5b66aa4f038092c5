/** PostgreSQL's gates. What is not known is waited for until the gate's limit, and never taken for good. */
import { type Failure, failure } from "#proto/common/failure.ts";
import { known, type Measured, whyUnknown } from "#proto/common/measured.ts";
import type { PgSubscription, PostgresqlGate } from "#proto/engines/postgresql.ts";
import {
  type Gate,
  type GateInput,
  type Gates,
  type GateVerdict,
  pass,
  refuse,
  waitFor,
} from "../../domain/gate.ts";
import { gateOf } from "./facts.ts";

type Judge = (facts: PostgresqlGate, args: Readonly<Record<string, string>>, node: string) => GateVerdict;

/** Asked of every node of the cluster; the first that does not pass decides. */
function ofEach(judge: Judge): Gate {
  return ({ spec, now }: GateInput) => {
    for (const [node, report] of Object.entries(now.nodes)) {
      if ("unknown" in report) return { verdict: "wait", why: report.unknown };
      const facts = gateOf(report);
      if (facts === undefined) return waitFor("postgresql.facts-unreadable", { node });
      const verdict = judge(facts, spec.args, node);
      if (verdict.verdict !== "pass") return verdict;
    }
    return pass;
  };
}

function unknown(node: string, found: Measured<unknown>): GateVerdict {
  const why: Failure = whyUnknown(found) ?? failure("measure.never-taken");
  return { verdict: "wait", why: { code: why.code, facts: { ...why.facts, node } } };
}

const serves: Gate = ofEach(({ server }, _, node) => {
  const found = known(server);
  if (found === undefined) return unknown(node, server);
  return found.isStandby ? waitFor("postgresql.is-standby", { node, systemId: found.systemId }) : pass;
});

/** Subscriptions of ours, in the direction in which rows go to this server. */
const isOurs = ({ name }: PgSubscription) => name.startsWith("lockkeeper_");
const isBack = ({ name }: PgSubscription) => /_back_[0-9a-f]{8}$/.test(name);

/** Every table of every database has its rows, and follows. */
const copied: Gate = ofEach(({ subscriptions }, args, node) => {
  const found = known(subscriptions);
  if (found === undefined) return unknown(node, subscriptions);
  const databases = JSON.parse(args["databases"] ?? "[]") as readonly string[];
  for (const database of databases) {
    const own = found.find((each) => each.database === database && isOurs(each) && !isBack(each));
    if (own === undefined) return waitFor("postgresql.subscription-missing", { node, database });
    const verdict = follows(node, own);
    if (verdict.verdict !== "pass") return verdict;
  }
  return pass;
});

function follows(node: string, own: PgSubscription): GateVerdict {
  const { database, tables, isEnabled, isWorking, copiedBytes, errors } = own;
  const all = Object.values(tables).reduce((sum, count) => sum + count, 0);
  const ready = tables["r"] ?? 0;
  const facts = {
    node,
    database,
    subscription: own.name,
    tables: String(all),
    ready: String(ready),
    bytes: String(copiedBytes),
    errors: String(errors ?? "not counted"),
  };
  if (!isEnabled) return refuse(failure("postgresql.subscription-stopped", facts), "hint.mend-and-resume");
  const cause = causeOf(own);
  if (cause !== undefined && (!isWorking || ready < all))
    return { verdict: "wait", why: failure(cause, { ...facts, cause: own.lastError ?? "" }) };
  if (!isWorking) return waitFor("postgresql.subscription-down", facts);
  return ready === all ? pass : waitFor("postgresql.copying", facts);
}

/** By the server's own words: which deed of a person helps. */
const causes: readonly (readonly [RegExp, Failure["code"]])[] = [
  [/target relation ".*" does not exist/, "postgresql.table-missing"],
  [/is missing replicated column/, "postgresql.column-missing"],
  [/has neither REPLICA IDENTITY|did not include a replica identity/, "postgresql.identity-missing"],
  [/duplicate key value|conflict detected/, "postgresql.row-conflict"],
  [/could not identify an equality operator/, "postgresql.type-incomparable"],
  [/slot .*(invalidated|does not exist)|can no longer get changes/, "postgresql.slot-missing"],
];

function causeOf({ lastError, errors }: PgSubscription): Failure["code"] | undefined {
  if (lastError === null || errors === 0 || /could not connect|connection/.test(lastError)) return undefined;
  return causes.find(([pattern]) => pattern.test(lastError))?.[1] ?? "postgresql.apply-failed";
}

/** By what the consumer has confirmed, and the worst of all: what was sent says nothing. */
const caughtUp: Gate = ofEach(({ slots }, args, node) => {
  const found = known(slots);
  if (found === undefined) return unknown(node, slots);
  const own = found.filter(({ name }) => name.startsWith("lockkeeper_"));
  if (own.length === 0) return waitFor("postgresql.slot-missing", { node, slots: "of this move" });
  for (const { name, isActive, lagBytes, walStatus } of own) {
    const facts = { node, slot: name, lag: String(lagBytes ?? "unknown"), max: args["maxLagBytes"] ?? "" };
    if (walStatus === "lost") return refuse(failure("postgresql.slot-lost", facts), "hint.mend-and-resume");
    if (!isActive) return waitFor("postgresql.slot-idle", facts);
    if (lagBytes === null || lagBytes > Number(args["maxLagBytes"]))
      return waitFor("postgresql.lagging", facts);
  }
  return pass;
});

const fenced: Gate = ofEach(({ fence }, _, node) => {
  const found = known(fence);
  if (found === undefined) return unknown(node, fence);
  const facts = { node, open: found.open.join(", "), readOnly: String(found.isReadOnly) };
  return found.isReadOnly && found.open.length === 0
    ? pass
    : refuse(failure("postgresql.fence-fallen", facts), "hint.mend-and-resume");
});

/** The old server takes over what the new one writes. */
const following: Gate = ofEach(({ subscriptions }, args, node) => {
  const found = known(subscriptions);
  if (found === undefined) return unknown(node, subscriptions);
  for (const database of JSON.parse(args["databases"] ?? "[]") as readonly string[]) {
    const own = found.find((each) => each.database === database && isBack(each));
    if (own === undefined) return waitFor("postgresql.subscription-missing", { node, database });
    const verdict = follows(node, own);
    if (verdict.verdict !== "pass") return verdict;
  }
  return pass;
});

export const gates: Gates = {
  "postgresql.serves": serves,
  "postgresql.copied": copied,
  "postgresql.caught-up": caughtUp,
  "postgresql.fenced": fenced,
  "postgresql.following": following,
};
