/** Whether a stage has done what cannot be undone: from there it goes on, and is neither undone nor begun anew. */
import type { Stage } from "../plan.ts";
import { stepsOf } from "../stage-programs.ts";
import type { StageState } from "./state.ts";

/** An irreversible step has begun somewhere, in this try or in one whose program a retry has put aside. */
export function isAnyPastReturn(spec: Stage, { programs, begun }: StageState): boolean {
  const isIrreversible = (at: Parameters<typeof stepsOf>[1], step: string) =>
    stepsOf(spec, at).some(({ id, class: stepClass }) => id === step && stepClass === "irreversible");
  return (
    begun.some((each) => isIrreversible(each, each.step)) ||
    Object.values(programs).some((program) =>
      Object.keys(program.steps).some((step) => isIrreversible(program, step)),
    )
  );
}
