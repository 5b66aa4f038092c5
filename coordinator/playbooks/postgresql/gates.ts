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
import { isForPerson, requirements, type Wanted } from "./new-server.ts";
import { followerOf, isBack, isOurs } from "./replication.ts";

type Judge = (facts: PostgresqlGate, args: Readonly<Record<string, string>>, node: string) => GateVerdict;

/** Asked of every node of the cluster, or of the one that the plan names; the first that does not pass decides. */
function ofEach(judge: Judge): Gate {
  return ({ spec, now }: GateInput) => {
    const only = spec.args["node"];
    if (only !== undefined && now.nodes[only] === undefined) return waitFor("node.no-report", { node: only });
    const all = Object.entries(now.nodes);
    // of whom nobody has said anything, nothing is known
    if (all.length === 0) return waitFor("node.no-report", { node: spec.cluster });
    for (const [node, report] of all) {
      if (only !== undefined && node !== only) continue;
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

/** As what it is, primary or standby. */
const answers: Gate = ofEach(({ server }, _, node) =>
  known(server) === undefined ? unknown(node, server) : pass,
);

const serves: Gate = ofEach(({ server }, _, node) => {
  const found = known(server);
  if (found === undefined) return unknown(node, server);
  return found.isStandby ? waitFor("postgresql.is-standby", { node, systemId: found.systemId }) : pass;
});

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
  const { standing, facts, why } = followerOf(node, own);
  if (why?.code === "postgresql.subscription-stopped") return refuse(why, "hint.mend-and-resume");
  if (why !== undefined) return { verdict: "wait", why };
  return standing === "replicating" ? pass : waitFor("postgresql.copying", facts);
}

/** By what the consumer has confirmed, and the worst of all: what was sent says nothing. */
const caughtUp: Gate = ofEach(({ slots }, args, node) => {
  const found = known(slots);
  if (found === undefined) return unknown(node, slots);
  const own = found.filter(isOurs);
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

/** Clients may write, by what the server says and not by what was done. One whose own limit was 0 before stays so. */
const opened: Gate = ofEach(({ fence }, args, node) => {
  const found = known(fence);
  if (found === undefined) return unknown(node, fence);
  const wanted = JSON.parse(args["databases"] ?? "[]") as readonly string[];
  const closed = wanted.filter((database) => !found.open.includes(database));
  return found.isReadOnly || closed.length === wanted.length
    ? waitFor("postgresql.still-closed", {
        node,
        databases: closed.join(", "),
        readOnly: String(found.isReadOnly),
      })
    : pass;
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

/** What the plan asks of the new server beside its rows; a person may have said that it goes without one of them. */
const newServerReady: Gate = (input) => {
  const { spec, acknowledged = [] } = input;
  const asked = Object.entries(requirements).filter(([id]) => !acknowledged.includes(checkOf(id)));
  return ofEach((facts, args, node) => {
    for (const [, requirement] of asked) {
      const found = requirement(facts, args as Wanted);
      const missing = known(found);
      if (missing === undefined) return unknown(node, found);
      if (missing === null) continue;
      const why = { code: missing.code, facts: { ...missing.facts, node, cluster: spec.cluster } };
      return { verdict: "wait", why, ...(isForPerson(why) ? { isForPerson: true } : {}) };
    }
    return pass;
  })(input);
};

function checkOf(requirement: string): string {
  return `postgresql.${requirement}`;
}

export const answeredAtGates = {
  "postgresql.new-server-ready": Object.keys(requirements).map(checkOf),
};

export const gates: Gates = {
  "postgresql.answers": answers,
  "postgresql.serves": serves,
  "postgresql.copied": copied,
  "postgresql.caught-up": caughtUp,
  "postgresql.fenced": fenced,
  "postgresql.opened": opened,
  "postgresql.following": following,
  "postgresql.new-server-ready": newServerReady,
};
