/**
 * Whether a program says only what this agent understands and may do. Everything is looked at before anything
 * runs: a program is taken whole or not at all.
 */
import { type Failure, failure } from "#proto/common/failure.ts";
import { type Program, type Step, StepClass, type Watch } from "#proto/gen/lockkeeper/v1/program_pb.ts";
import { leastClass, readCall, type Vocabulary } from "./vocabulary.ts";

const name = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/;
const maxSteps = 200;

export function whyNotAdmitted(program: Program, vocabulary: Vocabulary, node: string): Failure | undefined {
  const { rollout, stage, attempt, steps } = program;
  if (program.node !== node) return failure("program.other-node", { node: program.node, here: node });
  if (!name.test(rollout) || !name.test(stage) || attempt < 1)
    return failure("program.malformed", { rollout, stage });
  if (steps.length === 0 || steps.length > maxSteps)
    return failure("program.malformed", { rollout, stage, steps: String(steps.length) });
  const ids = new Set<string>();
  for (const step of steps) {
    if (ids.has(step.id) || !name.test(step.id))
      return failure("program.malformed", { rollout, stage, step: step.id });
    ids.add(step.id);
    const why = whyNotStep(step, vocabulary, program.epoch);
    if (why !== undefined) return { code: why.code, facts: { ...why.facts, step: step.id } };
  }
  return undefined;
}

function whyNotStep(step: Step, vocabulary: Vocabulary, epoch: number): Failure | undefined {
  const call = readCall(vocabulary, step.call);
  if (!call.ok) return call.failure;
  const { verb } = call.value;
  if (step.class < leastClass(verb))
    return failure("program.class-too-low", { verb: verb.name, class: String(step.class) });
  if (step.class !== StepClass.OBSERVE && epoch === 0)
    return failure("program.needs-lock", { verb: verb.name });
  if (step.class !== StepClass.OBSERVE && verb.probe === undefined)
    return failure("verb.without-probe", { verb: verb.name });
  if (step.deadlineMs < 1 || step.onDeadline === 0) return failure("program.without-deadline", {});
  if (step.undo !== undefined) {
    const undo = readCall(vocabulary, step.undo);
    if (!undo.ok) return undo.failure;
    if (undo.value.verb.probe === undefined)
      return failure("verb.without-probe", { verb: undo.value.verb.name });
  }
  return step.holdLimitMs > 0 ? whyNotHold(step) : undefined;
}

function whyNotHold(step: Step): Failure | undefined {
  if (step.undo === undefined) return failure("program.hold-without-undo", {});
  // A hold that may be undone while it is still being made would never be one.
  if (step.deadlineMs >= step.holdLimitMs) return failure("program.hold-shorter-than-step", {});
  return undefined;
}

export function whyNotWatch(watch: Watch, vocabulary: Vocabulary): Failure | undefined {
  const { rollout, id, everyMs, warnAt, reactAt } = watch;
  if (!name.test(rollout) || !name.test(id)) return failure("watch.malformed", { rollout, id });
  if (everyMs < 100 || !(warnAt <= reactAt))
    return failure("watch.malformed", { rollout, id, everyMs: String(everyMs) });
  const probe = readCall(vocabulary, watch.probe);
  if (!probe.ok) return probe.failure;
  if (probe.value.verb.class !== "observe")
    return failure("watch.probe-changes", { verb: probe.value.verb.name });
  const reaction = readCall(vocabulary, watch.reaction);
  if (!reaction.ok) return reaction.failure;
  if (reaction.value.verb.probe === undefined)
    return failure("verb.without-probe", { verb: reaction.value.verb.name });
  return undefined;
}
