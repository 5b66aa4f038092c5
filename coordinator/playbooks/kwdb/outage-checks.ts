/** Whether the cluster waits for as long as a node is away, and what an earlier upgrade has left of that setting. */
import { intervalMs } from "#proto/engines/kwdb-interval.ts";
import { answersOf, type ClusterCheck } from "./cluster-check.ts";
import { isLeftStoreDead } from "./left-overs.ts";
import { outageOf } from "./outage.ts";
import { judgeEvery, result } from "./result.ts";
import { raiseOf, storeDead } from "./store-dead.ts";

export const outageBudget: ClusterCheck = (input) => {
  const about = { id: "outage-budget", yields: "override" } as const;
  const outage = outageOf(input);
  if ("unknown" in outage) return { ...result(about, "unknown"), reason: outage.unknown };
  const raised = raiseOf(input)?.to;
  return judgeEvery(about, answersOf(input, "settings"), (settings) => {
    const text = settings[storeDead] ?? "";
    const limitMs = intervalMs(text);
    const minutes = String(Math.ceil(outage.ms / 60_000));
    const facts = { limit: text, outageMs: String(outage.ms), minutes };
    if (limitMs !== undefined && limitMs > outage.ms) return ["ok", facts];
    return raised === undefined ? ["ko", facts] : ["warn", { ...facts, raised }];
  });
};

/** Three hours may be a choice: it blocks nothing, and is mended only when a person wants it so. */
export const storeDeadLeft: ClusterCheck = (input) => {
  const answers = answersOf(input, "settings");
  if (answers.length === 0) return undefined;
  return judgeEvery({ id: "store-dead-left" }, answers, (settings) => {
    const shown = settings[storeDead] ?? "?";
    return [isLeftStoreDead(shown) ? "warn" : "ok", { shown, cluster: input.cluster.name }];
  });
};
