/** What a broken lock leaves of the stage that held it. */
import { failure } from "#proto/common/failure.ts";
import { inStage, withoutLock, withoutWaiting } from "./alter.ts";
import type { RolloutFact } from "./event.ts";
import type { ProgramState, RolloutState } from "./state.ts";

/** Its programs are over for this rollout, and nothing goes on before a person has answered for the nodes. */
export function lockBroken(
  state: RolloutState,
  { cluster, nodes, by, reason, brokenAt }: Extract<RolloutFact, { kind: "lock-broken" }>,
  at: string,
): RolloutState {
  const { lock } = state;
  if (lock?.epochs[cluster] === undefined) return state;
  const { stage } = lock;
  const why = failure("lock.broken", { cluster, nodes: nodes.join(", "), by, at: brokenAt ?? at, reason });
  const stop = { stage, why, hint: "hint.lock.broken", at };
  const over = (program: ProgramState): ProgramState =>
    program.standing === "ended" ? program : { ...program, standing: "ended", outcome: "unknown" };
  return inStage({ ...withoutLock(withoutWaiting(state), lock.nonce), stop }, stage, (each) => ({
    ...each,
    standing: "failed",
    lost: [...new Set([...each.lost, ...lock.entered])],
    programs: Object.fromEntries(Object.entries(each.programs).map(([key, program]) => [key, over(program)])),
  }));
}
