/** Checks of a source that Patroni manages, where its agent's file names it: can it be told to leave our slots and our fence alone? */

import { known } from "#proto/common/measured.ts";
import type { Patroni } from "#proto/engines/postgresql-patroni.ts";
import type { CheckResult } from "../../domain/check.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import { moveMethod } from "./movers.ts";
import { firstOf } from "./pair.ts";
import { whyNotKept } from "./patroni.ts";
import { judge, result } from "./result.ts";
import { majorOn, type Side } from "./sides.ts";

/** None where no agent's file names a Patroni; then it counts as any other manager. */
export function patroniChecks({ cluster, wish }: PlaybookInput, source: Side): readonly CheckResult[] {
  const { patroni } = source.facts;
  if ("value" in patroni && patroni.value === null) return [];
  const told = known(patroni);
  const leads = judge({ id: "source-patroni", node: source.node.name }, patroni, (found) => {
    const leader = found?.members.find(({ role }) => role === "leader")?.name ?? "none";
    const facts = {
      cluster: source.cluster,
      member: found?.member ?? "",
      leader,
      version: found?.version ?? "",
    };
    return [leader === found?.member ? "ok" : "ko", facts];
  });
  if (told === undefined || told === null) return [leads];
  // what it is told to let alone are the slots of the server's own replication
  const isOwn = (wish.method ?? moveMethod) === moveMethod;
  return [
    leads,
    result({ id: "source-patroni-method" }, isOwn ? "ok" : "ko", { method: wish.method ?? "" }),
    ...toldBy(told, source),
    slotsKept(told, { nodes: cluster.nodes, source }),
  ];
}

const well: ReadonlySet<string> = new Set(["running", "streaming"]);

function toldBy(
  { members, isPaused, isStandbyCluster, ownsHba, scope }: Patroni,
  { cluster }: Side,
): readonly CheckResult[] {
  const ill = members.filter(({ state }) => !well.has(state)).map(({ name, state }) => `${name} (${state})`);
  const facts = { cluster, scope, found: firstOf(ill) };
  return [
    result({ id: "source-patroni-standby-cluster" }, isStandbyCluster ? "ko" : "ok", facts),
    result({ id: "source-patroni-members" }, ill.length === 0 ? "ok" : "warn", facts),
    result({ id: "source-patroni-paused" }, isPaused ? "warn" : "ok", facts),
    result({ id: "source-patroni-hba" }, ownsHba ? "warn" : "ok", facts),
  ];
}

function slotsKept(
  told: Patroni,
  { nodes, source }: { readonly nodes: readonly unknown[]; readonly source: Side },
): CheckResult {
  const why = whyNotKept(told, nodes, majorOn(source));
  return result({ id: "source-patroni-slots" }, why === undefined ? "ok" : "warn", {
    cluster: source.cluster,
    why: why ?? "",
  });
}
