import { expect, it } from "vitest";
import { wishOf } from "#coordinator/api/wishes.ts";
import { digestedText } from "#coordinator/domain/digest.ts";
import { type Plan, planFormat } from "#coordinator/domain/plan.ts";
import { planText, readPlan } from "#coordinator/domain/plan-file.ts";
import { FailureError } from "#proto/common/failure.ts";
import { ApplyRequest } from "#proto/gen/lockkeeper/v1/control_pb.ts";
import { goldenText, holdsToGolden } from "#test/golden.ts";
import { sha256, wholePlan } from "./whole-plan.ts";

function readKept(kept: unknown): Plan {
  const read = readPlan(JSON.stringify(kept), "plan.json");
  if (!read.ok) throw new FailureError(read.failure);
  return read.value;
}

holdsToGolden("a plan file", {
  file: "coordinator/domain/plan",
  format: planFormat,
  made: () => [JSON.parse(planText(wholePlan())) as Plan],
  read: readKept,
  refusal: "cli.plan-format",
});

const golden = (): unknown => JSON.parse(goldenText("coordinator/domain/plan-format-1.json"))[0];

it("the golden plan is still bound by its digest: a field that is called otherwise would be drift", () => {
  const plan = readKept(golden());
  expect(sha256(digestedText(plan))).toBe(plan.digest);
});

it("the coordinator refuses a plan of a newer format that is sent to be applied", () => {
  const sent = (plan: unknown) =>
    wishOf(ApplyRequest.fromPartial({ plan: { kind: "plan", json: Buffer.from(JSON.stringify(plan)) } }));
  expect(sent(golden()).plan).toEqual(golden());
  expect(() => sent({ ...(golden() as Plan), format: 2 })).toThrow(
    expect.objectContaining({
      failure: { code: "cli.plan-format", facts: { file: "request", format: "2", known: "1" } },
    }),
  );
});
