/** Programs of the paper engine, as short as a test can read them. */
import { OnDeadline, type Program, type Step, StepClass } from "#proto/gen/lockkeeper/v1/program_pb.ts";

type Given = Partial<Omit<Step, "id" | "call">>;

export function toolStep(id: string, args: Readonly<Record<string, string>> = {}, given: Given = {}): Step {
  return step(id, "paper.tool", { name: id, ...args }, given);
}

export function step(
  id: string,
  verb: string,
  args: Readonly<Record<string, string>>,
  given: Given = {},
): Step {
  return {
    id,
    call: { verb, args: { ...args } },
    class: StepClass.REVERSIBLE,
    deadlineMs: 20_000,
    onDeadline: OnDeadline.END,
    mayStopAfter: false,
    holdLimitMs: 0,
    ...given,
  };
}

export function undoOf(name: string): NonNullable<Step["undo"]> {
  return { verb: "paper.remove", args: { name } };
}

export function programOf(steps: readonly Step[], given: Partial<Program> = {}): Program {
  return {
    rollout: "r1",
    stage: "node-db1",
    cluster: "c1",
    node: "db1",
    attempt: 1,
    epoch: 7,
    nonce: "n7",
    steps,
    ...given,
  };
}

export function noticeOf({ cluster, epoch, nonce, rollout }: Program) {
  return {
    $case: "epochNotice",
    value: { cluster, epoch, nonce, rollout, nodes: ["db1"], clusterScope: false, auditHead: "" },
  } as const;
}
