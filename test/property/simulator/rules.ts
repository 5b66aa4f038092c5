/**
 * The decisions that a history is played by: the product's own functions. A mutant is the same object with one
 * of them broken on purpose, so that the search can be seen to find what it looks for.
 */
import {
  type Answer,
  answerEnter,
  answerNotice,
  answerProgram,
  type FencedProgram,
  type FenceView,
  hasEntered,
  mayChange,
} from "#agent/program/fence.ts";
import type { LockRecord } from "#coordinator/domain/lock.ts";

export interface Rules {
  readonly answerNotice: typeof answerNotice;
  readonly answerProgram: typeof answerProgram;
  readonly answerEnter: typeof answerEnter;
  readonly mayChange: typeof mayChange;
  /** The agent asks before its first change. */
  readonly enters: boolean;
  /** Every agent is told of an epoch, and has said yes, before the program goes out. */
  readonly announces: boolean;
  /** The record as its reader takes it. */
  readonly read: (record: LockRecord | undefined, nowMs: number) => LockRecord | undefined;
  /** The program that the agent takes to hold the lock. */
  readonly holding: (
    program: FencedProgram | undefined,
    since: { readonly sinceMs: number; readonly nowMs: number },
  ) => FencedProgram | undefined;
}

export const soundRules: Rules = {
  answerNotice,
  answerProgram,
  answerEnter,
  mayChange,
  enters: true,
  announces: true,
  read: (record) => record,
  holding: (program) => program,
};

const yes: Answer = { says: "yes", drops: undefined };
const expiryMs = 20_000;

/** An agent that looks at no number: only a program that has entered makes it say no. */
function answerBlindly({ program }: FenceView): Answer {
  return program !== undefined && hasEntered(program.standing) ? answerBusy(program) : yes;
}

function answerBusy({ epoch }: FencedProgram): Answer {
  return { says: "no", why: { code: "fence.program-not-freed", facts: { holds: String(epoch) } } };
}

export const mutants = {
  "no epoch check": {
    ...soundRules,
    answerNotice: answerBlindly,
    answerProgram: answerBlindly,
    answerEnter: ({ program }, granted) =>
      program?.standing === "entering" && program.nonce === granted.nonce
        ? yes
        : { says: "no", why: { code: "fence.enter-not-asked", facts: {} } },
    mayChange: () => yes,
  },
  "no enter": { ...soundRules, enters: false },
  "no announce": {
    ...soundRules,
    announces: false,
    // the program brings its epoch along, and the node that gets it is the only one that learns of it
    answerProgram: ({ highest, program }, wanted) => {
      const seen = highest.get(wanted.cluster);
      return answerProgram(
        {
          highest: seen === undefined || seen.epoch < wanted.epoch ? new Map([["c", wanted]]) : highest,
          program,
        },
        wanted,
      );
    },
  },
  "an announcement accepted by a busy agent": {
    ...soundRules,
    answerNotice: ({ highest, program }, notice) =>
      answerNotice(
        { highest, program: program !== undefined && hasEntered(program.standing) ? undefined : program },
        notice,
      ),
  },
  // At both ends, as with a lease: were only the record to expire, the busy agent's no would still hold.
  "a lock that expires": {
    ...soundRules,
    read: (record, nowMs) =>
      record !== undefined && record.state !== "free" && nowMs - Number(record.since) > expiryMs
        ? { ...record, state: "free", entered: [] }
        : record,
    holding: (program, { sinceMs, nowMs }) => (nowMs - sinceMs > expiryMs ? undefined : program),
  },
} satisfies Record<string, Rules>;
