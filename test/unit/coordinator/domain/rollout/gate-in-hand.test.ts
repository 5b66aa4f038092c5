/** While a gate is measured, which may take half an hour: what is measured, and for how long it must be green. */
import { expect, it } from "vitest";
import { renderRollout } from "#coordinator/cli/render/rollout.ts";
import { renderWhy } from "#coordinator/cli/render/why.ts";
import { decide } from "#coordinator/domain/rollout/decide.ts";
import type { RolloutState } from "#coordinator/domain/rollout/state.ts";
import { viewOf, whyOf } from "#coordinator/domain/rollout/view.ts";
import { failure } from "#proto/common/failure.ts";
import { type Told, told } from "./telling.ts";

const paint = (_: unknown, text: string) => text;
const looked: Told = { kind: "stage-passed", stage: "stage" };
const began: Told = { kind: "stage-started", stage: "offline", attempt: 1 };

/** With its first gate in hand. */
function measured(...more: readonly Told[]): RolloutState {
  const state = told(
    "offline",
    looked,
    began,
    { kind: "snapshot-taken", stage: "offline", when: "before", snapshot: "s" },
    ...more,
  );
  expect(decide(state).do).toBe("take-gate");
  return state;
}

it("is said by why and by status, and nothing waits for a person", () => {
  const state = measured();
  const gate = viewOf(state).gate;
  expect(gate).toMatchObject({ stage: "offline", dwellMs: 1, limitMs: 1 });
  const why = renderWhy({ subject: "c", answers: whyOf(state) }, paint);
  expect(why).toContain("offline is measured");
  expect(why).toContain("nobody: it goes on by itself");
  expect(why).toMatch(/gate: {4}.*every 1ms, green for 1ms, at most 1ms/);
  expect(renderRollout(viewOf(state), 0, paint)).toMatch(/gate of offline, measured now: .*green for 1ms/);
});

it("falls to whoever runs the host where an agent is away", () => {
  const waits = (code: "node.unreachable" | "node.silent") =>
    whyOf(
      measured({
        kind: "gate-waited",
        stage: "offline",
        when: "before",
        gate: "g",

        why: failure(code, { node: "db1" }),
      }),
    ).map(({ who }) => who);
  expect(waits("node.unreachable")).toEqual(["who.host-owner"]);
  expect(waits("node.silent")).toEqual(["who.nobody-needed"]);
});
