/** Requests as wishes: what a person asked for, with unset fields absent. */
import { FailureError, failure } from "#proto/common/failure.ts";
import {
  type ApplyRequest,
  Steering,
  type SteerRequest,
  type Target,
  type Word as WireWord,
} from "#proto/gen/lockkeeper/v1/control_pb.ts";
import { readPlan } from "../domain/plan-file.ts";
import type { GivenWord, Order, WantedTarget } from "./control-port.ts";

export function wanted(target: Target | undefined): WantedTarget {
  if (target === undefined) throw new FailureError(failure("cli.cluster-missing", {}));
  const { cluster, version, artefact, digest, strategy, method, intoCluster } = target;
  const given = Object.entries({ artefact, digest, strategy, method, into: intoCluster }).filter(
    ([, value]) => value !== "",
  );
  return { cluster, version, ...Object.fromEntries(given) };
}

export function wishOf({ plan, stopAfterNodes, approveEach, acknowledgements, overrides }: ApplyRequest) {
  if (plan?.kind !== "plan")
    throw new FailureError(failure("cli.plan-unreadable", { file: "request", cause: "it is not a plan" }));
  const read = readPlan(Buffer.from(plan.json).toString("utf8"), "request");
  if (!read.ok) throw new FailureError(read.failure);
  return {
    plan: read.value,
    approveEach,
    words: givenWords(acknowledgements, overrides),
    ...(stopAfterNodes > 0 ? { stopAfterNodes } : {}),
  };
}

export function orderWish(request: SteerRequest) {
  const { rollout, steering, node, reason, acknowledgements, overrides } = request;
  return {
    rollout,
    order: orderOf(steering),
    reason,
    words: givenWords(acknowledgements, overrides),
    ...(node === "" ? {} : { node }),
  };
}

function givenWords(
  acknowledgements: readonly WireWord[],
  overrides: readonly WireWord[],
): readonly GivenWord[] {
  const give =
    (kind: GivenWord["kind"]) =>
    (word: WireWord): GivenWord => ({
      kind,
      check: word.check,
      reason: word.reason,
      ...(word.until === "" ? {} : { until: word.until }),
    });
  return [...acknowledgements.map(give("acknowledgement")), ...overrides.map(give("override"))];
}

const orders: Readonly<Record<Steering, Order | undefined>> = {
  [Steering.UNSPECIFIED]: undefined,
  [Steering.PAUSE]: "pause",
  [Steering.RESUME]: "resume",
  [Steering.ABORT]: "abort",
  [Steering.APPROVE]: "approve",
  [Steering.RETRY]: "retry",
  [Steering.SKIP]: "skip",
};

function orderOf(steering: Steering): Order {
  const order = orders[steering];
  if (order === undefined)
    throw new FailureError(failure("internal.document", { wanted: "an order", got: String(steering) }));
  return order;
}
