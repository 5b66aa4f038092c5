/** Checks that each side has to pass: is it reached, is it one primary, may our account do everything there? */
import { known, whyUnknown } from "#proto/common/measured.ts";
import type { CheckResult } from "../../domain/check.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import { fullOf, serverOf } from "./facts.ts";
import { firstOf, isForeign, type SideCheck } from "./pair.ts";
import { judge, result } from "./result.ts";
import { primariesOf, type Side, settingOn } from "./sides.ts";

/** Of each node of the cluster, whichever side it is on. */
export function reached({ cluster, reports }: PlaybookInput): readonly CheckResult[] {
  return cluster.nodes.map(({ name }) => {
    const about = { id: "reached", node: name } as const;
    const facts = fullOf(reports[name]);
    if (facts !== undefined) return judge(about, facts.server, ({ version }) => ["ok", { version }]);
    return { ...result(about, "unknown"), reason: { code: "node.no-report", facts: { node: name } } };
  });
}

/** A standby cannot publish, and cannot be written to; two that both take writes are no cluster. */
export function onePrimary(role: Side["role"], input: PlaybookInput): CheckResult {
  const { cluster, reports } = input;
  const about = { id: `${role}-primary` } as const;
  const primaries = primariesOf(input).map(({ name }) => name);
  const facts = { cluster: cluster.name, found: primaries.length === 0 ? "none" : primaries.join(", ") };
  const silent = cluster.nodes.find(({ name }) => serverOf(reports[name]) === undefined);
  if (silent !== undefined) {
    const measured = fullOf(reports[silent.name])?.server;
    const reason = whyUnknown(measured) ?? { code: "node.no-report" as const, facts: { node: silent.name } };
    return { ...result(about, "unknown", facts), reason };
  }
  return result(about, primaries.length === 1 ? "ok" : "ko", facts);
}

const superuser: SideCheck = ({ role, cluster, server, node }) =>
  result({ id: `${role}-superuser`, node: node.name }, server.isSuperuser ? "ok" : "ko", { cluster });

/** The source decodes with it; the target needs it for the way back. */
const walLevel: SideCheck = (side) => {
  const { role, cluster, facts } = side;
  return judge({ id: `${role}-wal-level` }, facts.settings, (all) => [
    all["wal_level"] === "logical" ? "ok" : "ko",
    { cluster, found: all["wal_level"] ?? "?" },
  ]);
};

/** A slot that falls behind so far is given up by the server, and its copy must begin anew. */
const walLimit: SideCheck = ({ role, cluster, facts }) =>
  judge({ id: `${role}-wal-limit` }, facts.settings, (all) => {
    const limit = all["max_slot_wal_keep_size"];
    return [limit === undefined || Number(limit) < 0 ? "ok" : "warn", { cluster, mebibytes: limit ?? "" }];
  });

const idleSlots: SideCheck = ({ role, cluster, facts }) =>
  judge({ id: `${role}-idle-slots` }, facts.settings, (all) => {
    const found = all["idle_replication_slot_timeout"];
    return [found === undefined || Number(found) === 0 ? "ok" : "warn", { cluster, found: found ?? "" }];
  });

/** Whose owner has not been asked may fail over in the middle, or put its settings over ours. */
const managed: SideCheck = ({ role, cluster, facts }) =>
  judge({ id: `${role}-managed`, yields: "acknowledge" }, facts.highAvailability, (all) => {
    // of a Patroni that its agent speaks with, there are checks of its own
    const isHandled = role === "source" && (known(facts.patroni) ?? null) !== null;
    const found = all.filter(({ kind }) => !(isHandled && kind === "patroni"));
    return [
      found.length === 0 ? "ok" : "unknown",
      { cluster, found: found.map(({ kind, by }) => `${kind} (${by})`).join(", ") },
    ];
  });

const leftOvers: SideCheck = ({ role, cluster, facts }) =>
  judge({ id: `${role}-left-overs` }, facts.leftOvers, (all) => {
    // an agent's own notes are in nobody's way
    const found = all.filter((each) => !each.startsWith("prior value "));
    return [found.length === 0 ? "ok" : "ko", { cluster, found: firstOf(found) }];
  });

const subscriptions: SideCheck = ({ role, cluster, facts }) =>
  judge({ id: `${role}-subscriptions`, yields: "acknowledge" }, facts.subscriptions, (all) => {
    const foreign = all.filter(isForeign).map(({ name, database }) => `${name} in ${database}`);
    return [foreign.length === 0 ? "ok" : "unknown", { cluster, found: firstOf(foreign) }];
  });

/** Consumers of changes: they hang on this server, and no slot of theirs goes along. */
const slots: SideCheck = ({ role, cluster, facts }) =>
  judge({ id: `${role}-slots`, yields: "acknowledge" }, facts.slots, (all) => {
    const foreign = all.filter((slot) => isForeign(slot) && slot.plugin !== null);
    const found = firstOf(foreign.map(({ name, plugin, database }) => `${name} (${plugin}) in ${database}`));
    return [foreign.length === 0 ? "ok" : "unknown", { cluster, found }];
  });

const loopback: ReadonlySet<string> = new Set(["", "localhost", "127.0.0.1", "::1"]);

/** Who listens to its own host alone is reached from no other. */
const listens: SideCheck = (side) => {
  const words = (settingOn(side, "listen_addresses") ?? "").split(",").map((each) => each.trim());
  const host = side.node.address.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
  const isLocal = words.every((each) => loopback.has(each)) && !loopback.has(host);
  return judge({ id: `${side.role}-listens` }, side.facts.settings, () => [
    isLocal ? "warn" : "ok",
    { cluster: side.cluster, found: words.join(", "), address: side.node.address },
  ]);
};

export const sideChecks: readonly SideCheck[] = [
  superuser,
  walLevel,
  walLimit,
  idleSlots,
  managed,
  leftOvers,
  subscriptions,
  slots,
  listens,
];
