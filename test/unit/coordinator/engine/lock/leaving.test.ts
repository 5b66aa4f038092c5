/** A rollout that is left to its way back holds several clusters, and gives their claims back one after the other. */
import { expect, it } from "vitest";
import type { Plan } from "#coordinator/domain/plan.ts";
import { leaveToWayBack } from "#coordinator/engine/lock/leaving.ts";
import { told } from "#test/unit/coordinator/domain/rollout/telling.ts";

it("is told once, and waited for until the last claim is free", async () => {
  const waiting = told(
    "watched",
    { kind: "stage-started", stage: "copy", attempt: 1 },
    { kind: "paused", by: "ann", reason: "" },
  );
  const orders: string[] = [];
  const held = new Set(["old", "new"]);
  let slept = 0;
  const means = {
    claims: { holder: async (cluster: string) => (held.has(cluster) ? { rollout: "r" } : undefined) },
    drivers: {
      state: () => (orders.length === 0 ? waiting : undefined),
      order: async (rollout: string) => {
        orders.push(rollout);
        held.delete("old");
      },
    },
    audit: { record: async () => undefined },
    clock: {
      monotonicMs: () => slept,
      sleep: async (ms: number) => {
        slept += ms;
        if (slept > 500) held.delete("new");
      },
    },
  };
  const plan = { clusters: ["old", "new"], back: "r", digest: "d".repeat(64) } as unknown as Plan;
  expect(await leaveToWayBack(means as never, "ann", plan)).toEqual({ ok: true, value: undefined });
  expect(orders).toEqual(["r"]);
});
