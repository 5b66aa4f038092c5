/**
 * The fence: what an agent says yes to. Pure decisions over what its fsynced journal says; the journal entry
 * that a yes stands for is written before the yes leaves the host. The coordinator's record may be lost,
 * rolled back or won by a stale write; this is the check that counts.
 */
import { type Failure, failure } from "#proto/common/failure.ts";

/** How long an agent takes an answer to its enter request, by its own monotonic clock. */
export const enterLimitMs = 5_000;

export interface Fencing {
  readonly cluster: string;
  readonly epoch: number;
  readonly nonce: string;
}

/**
 * waiting: accepted, nothing has changed on the node. entering: has asked to enter. in-flight: has entered.
 * ended: has entered and come to its end, and is not yet proven and freed.
 */
export type Standing = "waiting" | "entering" | "in-flight" | "ended";

export interface FencedProgram extends Fencing {
  readonly rollout: string;
  readonly stage: string;
  readonly attempt: number;
  readonly standing: Standing;
}

export interface FenceView {
  /** The highest epoch seen, per cluster. */
  readonly highest: ReadonlyMap<string, Fencing>;
  /** The one program that changes things and is neither freed nor dropped. */
  readonly program: FencedProgram | undefined;
}

export type Answer =
  /** `drops`: a program that waits to enter is given up for this. */
  | { readonly says: "yes"; readonly drops: FencedProgram | undefined }
  | { readonly says: "no"; readonly why: Failure };

const yes: Answer = { says: "yes", drops: undefined };

/**
 * An epoch is announced. No to a lower one, to the same with another nonce, and to any while a program has
 * entered and is not yet proven and freed. The same epoch and nonce again is a repeated message: yes.
 */
export function answerNotice({ highest, program }: FenceView, notice: Fencing): Answer {
  const seen = highest.get(notice.cluster);
  if (seen !== undefined && notice.epoch < seen.epoch) return tooLow(notice, seen);
  if (seen !== undefined && notice.epoch === seen.epoch) {
    if (notice.nonce !== seen.nonce) return no("fence.other-nonce", notice, { seen: String(seen.epoch) });
    return yes;
  }
  if (program !== undefined && hasEntered(program.standing)) return busy(notice, program);
  return { says: "yes", drops: program };
}

/**
 * A program that changes things arrives. Its epoch and nonce must be the highest ones seen, which this agent
 * has said yes to; the same program again is a repeated message: yes. One that has ended may be followed,
 * under the same epoch and nonce, by another of its rollout: the next attempt, or the next phase.
 */
export function answerProgram(
  { highest, program }: FenceView,
  wanted: Omit<FencedProgram, "standing">,
): Answer {
  const seen = highest.get(wanted.cluster);
  if (seen === undefined || wanted.epoch > seen.epoch) return no("fence.not-announced", wanted, {});
  if (wanted.epoch < seen.epoch) return tooLow(wanted, seen);
  if (wanted.nonce !== seen.nonce) return no("fence.other-nonce", wanted, { seen: String(seen.epoch) });
  if (program === undefined || isSame(program, wanted) || mayFollow(program, wanted)) return yes;
  return hasEntered(program.standing) || program.epoch === wanted.epoch
    ? busy(wanted, program)
    : { says: "yes", drops: program };
}

/**
 * The answer to an enter request. Taken only by the program that asked, only under the highest epoch, and only
 * within the agent's own deadline: a late yes may belong to a lock that was given to somebody else meanwhile.
 */
export function answerEnter({ highest, program }: FenceView, granted: Fencing, waitedMs: number): Answer {
  if (program === undefined || program.standing !== "entering" || !isSameFencing(program, granted)) {
    return no("fence.enter-not-asked", granted, {});
  }
  const seen = highest.get(granted.cluster);
  if (seen !== undefined && seen.epoch > granted.epoch) return tooLow(granted, seen);
  if (waitedMs > enterLimitMs)
    return no("fence.enter-too-late", granted, { waitedMs: String(Math.round(waitedMs)) });
  return yes;
}

/** Looked at immediately before each change: may a step of this program still start? */
export function mayChange({ highest }: Pick<FenceView, "highest">, program: Fencing): Answer {
  const seen = highest.get(program.cluster);
  if (seen === undefined || seen.epoch > program.epoch || seen.nonce !== program.nonce)
    return tooLow(program, seen ?? program);
  return yes;
}

export function hasEntered(standing: Standing): boolean {
  return standing === "in-flight" || standing === "ended";
}

function isSame(left: Omit<FencedProgram, "standing">, right: Omit<FencedProgram, "standing">): boolean {
  return (
    isSameFencing(left, right) &&
    left.rollout === right.rollout &&
    left.stage === right.stage &&
    left.attempt === right.attempt
  );
}

function mayFollow(ended: FencedProgram, wanted: Omit<FencedProgram, "standing">): boolean {
  return ended.standing === "ended" && isSameFencing(ended, wanted) && ended.rollout === wanted.rollout;
}

function isSameFencing(left: Fencing, right: Fencing): boolean {
  return left.cluster === right.cluster && left.epoch === right.epoch && left.nonce === right.nonce;
}

function tooLow(wanted: Fencing, seen: Fencing): Answer {
  return no("fence.epoch-too-low", wanted, { seen: String(seen.epoch) });
}

function busy(wanted: Fencing, program: FencedProgram): Answer {
  const { rollout, stage, epoch, standing } = program;
  return no("fence.program-not-freed", wanted, { rollout, stage, holds: String(epoch), standing });
}

function no(code: `fence.${string}`, { cluster, epoch }: Fencing, facts: Failure["facts"]): Answer {
  return { says: "no", why: failure(code, { cluster, epoch: String(epoch), ...facts }) };
}
