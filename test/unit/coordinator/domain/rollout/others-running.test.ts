/** A node has failed while another one still works: `why` says so at once, and not when the other has ended. */
import { expect, it } from "vitest";
import { whyOf } from "#coordinator/domain/rollout/view.ts";
import { ended, inside, step, told } from "./telling.ts";

it("is told with its cause, and with what is waited for", () => {
  const both = inside("offline/stop", "db1", "db2");
  const failed = [step("offline/stop", "db1", "stop", "failed"), ended("offline/stop", "db1", "stop")];
  const works = step("offline/stop", "db2", "stop", "started");
  expect(whyOf(told("offline", ...both, works)).map(({ waitingFor }) => waitingFor.code)).not.toContain(
    "rollout.others-end-first",
  );
  const answers = whyOf(told("offline", ...both, works, ...failed)).map(({ waitingFor }) => waitingFor);
  expect(answers[0]?.facts).toMatchObject({ node: "db1", step: "stop" });
  expect(answers[1]).toEqual({
    code: "rollout.others-end-first",
    facts: { node: "db1", others: "db2 (stop)" },
  });
});
