/** What running a program must ask of the lock. */
import type { Failure } from "#proto/common/failure.ts";
import type { Program } from "#proto/gen/lockkeeper/v1/program_pb.ts";
import type { ProgramMemory } from "./memory.ts";

export interface LockView {
  /** Journals the question, asks, and journals the answer. Waits for a stream to ask on. */
  enter(of: ProgramMemory): Promise<"entered" | { readonly refused: Failure }>;
  /** Why the node may not be changed under this program's epoch any more. */
  whyOvertaken(program: Program): Failure | undefined;
}
