/** A way back that is asked for before there is anything to go back from. */
import { expect, it } from "vitest";
import { undoneBy } from "#coordinator/domain/rollout/way-back.ts";
import { render } from "#proto/catalogue/render.ts";
import { told } from "./telling.ts";

it("claims no version of a node: the new server of a move never ran the old one", () => {
  const state = told("standing");
  const found = undoneBy({ ...state, plan: { ...state.plan, from: "15", to: "18" } }, { fromAnyStep: true });
  if (found.ok) throw new Error("there is something to go back from");
  const { says } = render(found.failure);
  expect(says).toContain("db1, db2");
  expect(says).not.toContain("15");
});
