/** Rollouts of the past, as a way back sees them: walked to their end, or told as far as they came. */
import type { Plan } from "#coordinator/domain/plan.ts";
import type { PlaybookInput } from "#coordinator/domain/playbook.ts";
import { eventFormat, type RolloutFact } from "#coordinator/domain/rollout/event.ts";
import { fold } from "#coordinator/domain/rollout/reduce.ts";
import { undoneBy } from "#coordinator/domain/rollout/way-back.ts";
import type { Undone } from "#coordinator/domain/undone.ts";
import { planUpgrade } from "#coordinator/playbooks/kwdb/plan.ts";
import { walk } from "../../domain/paper/walk.ts";
import { at, type Changed, inputOf } from "./cluster.ts";

export interface Past {
  readonly changed: Changed;
  /** Stage on the wire, node and last step that was begun there. */
  readonly begun?: readonly (readonly [stage: string, node: string, steps: readonly string[]])[];
}

/** A rollout of the plan for this cluster: walked to its end, or told as far as these. */
export function undoneOf({ changed, begun }: Past): Undone {
  return undone(inputOf(changed), begun);
}

export function undone(input: PlaybookInput, begun: Past["begun"]): Undone {
  const made = planUpgrade(input);
  if (!made.ok) throw new Error(made.failure.code);
  const state = begun === undefined ? walk(made.value).state : told(made.value, begun);
  const found = undoneBy(state, { fromAnyStep: false });
  if (!found.ok) throw new Error(found.failure.code);
  return { ...found.value, rollout: "r1" };
}

function told(plan: Plan, begun: NonNullable<Past["begun"]>) {
  const options = { approveEach: false };
  const facts: RolloutFact[] = [{ kind: "rollout-started", plan, by: "ann", options, words: [] }];
  for (const [stage, node, steps] of begun) {
    const [id = "", phase] = stage.split("/");
    const sent = { kind: "program-sent", stage: id, node, attempt: 1, epoch: 1 } as const;
    facts.push({ kind: "stage-started", stage: id, attempt: 1 });
    facts.push(phase === undefined ? sent : { ...sent, phase });
    for (const step of steps) {
      const from = { stage, attempt: 1, node, agentSequence: facts.length };
      const rest = { measuredAt: at, elapsedMs: 1, outputs: {}, tail: "", runner: "" };
      facts.push({ kind: "step", step, phase: "done", ...rest, ...from });
    }
  }
  const events = facts.map((fact, index) => ({
    format: eventFormat as typeof eventFormat,
    rollout: "r1",
    sequence: index + 1,
    at,
    fact,
  }));
  const state = fold(events);
  if (state === undefined) throw new Error("no state");
  return state;
}
