/** Checks of what the new server must have before the cut-over. What can still come is a warning: a gate waits for it. */
import { known } from "#proto/common/measured.ts";
import type { CheckResult, CheckStatus } from "../../domain/check.ts";
import { requirements, type Wanted, wantedOf } from "./new-server.ts";
import type { Pair, PairCheck } from "./pair.ts";
import { judge } from "./result.ts";

type Id = keyof typeof requirements;

/** By what of it each is wanted. */
const wantedBy = {
  "target-standbys": "standbys",
  "target-backup": "backup",
  "target-connections": "connections",
} as const satisfies Readonly<Record<Id, keyof Wanted>>;

/** `missing`: what it is when it is not there yet. */
function checkOf(
  id: Id,
  missing: (code: string) => CheckStatus,
  yields: CheckResult["yields"] = "never",
): PairCheck {
  return ({ source, target, settings }: Pair) => {
    const wanted = wantedOf(source.facts, settings);
    const about = { id, yields };
    if (wanted[wantedBy[id]] === "unknown") return judge(about, source.facts.readiness, () => ["unknown"]);
    const found = requirements[id](target.facts, wanted);
    const facts = { ...wanted, cluster: target.cluster, node: target.node.name };
    const judged = judge(about, found, (why) => [why === null ? "ok" : missing(why.code), facts]);
    const why = known(found) ?? null;
    return why === null ? judged : { ...judged, reason: { ...why, facts: { ...facts, ...why.facts } } };
  };
}

export const newServerChecks: readonly PairCheck[] = [
  checkOf("target-standbys", () => "warn", "acknowledge"),
  // nothing that is made later helps where nobody can ask
  checkOf(
    "target-backup",
    (code) => (code === "postgresql.new-backup-no-hook" ? "ko" : "warn"),
    "acknowledge",
  ),
  checkOf("target-connections", () => "ko"),
];
