/** A journal with every kind of entry and every field that an entry can have: a node half-way through its program. */
import type { Entry } from "#agent/program/entry.ts";
import type { Failure } from "#proto/common/failure.ts";
import {
  OnDeadline,
  type Program,
  ProgramOutcome,
  type Step,
  StepClass,
  StepPhase,
  type Watch,
} from "#proto/gen/lockkeeper/v1/program_pb.ts";

const rollout = "20260131-221500-ab12";
const key = { rollout, stage: "node-db1", attempt: 2 } as const;
const why: Failure = { code: "step.interrupted", facts: { step: "fence" } };
const tool = "lockkeeper-ab12-stop-2";

const step = (id: string, more: Partial<Step> = {}): Step => ({
  id,
  call: { verb: `kwdb.${id}`, args: { unit: "kaiwudb" } },
  class: StepClass.REVERSIBLE,
  deadlineMs: 600_000,
  onDeadline: OnDeadline.OBSERVE,
  mayStopAfter: false,
  undo: { verb: "kwdb.start", args: {} },
  holdLimitMs: 0,
  ...more,
});

const program: Program = {
  ...key,
  cluster: "账单",
  node: "db1",
  epoch: 7,
  nonce: "n7",
  steps: [
    step("look", { class: StepClass.OBSERVE, undo: undefined }),
    step("fence", { holdLimitMs: 120_000 }),
    step("stop"),
    step("upgrade", { class: StepClass.IRREVERSIBLE, onDeadline: OnDeadline.END, mayStopAfter: true }),
  ],
};

const watch: Watch = {
  id: "lag",
  rollout,
  stage: "soak",
  probe: { verb: "kwdb.lag", args: {} },
  warnAt: 10,
  reactAt: 60,
  reaction: { verb: "kwdb.resume", args: {} },
  everyMs: 5_000,
};

const moment = { wallMs: Date.UTC(2026, 0, 31, 22, 15), bootId: "boot-1", uptimeMs: 4_711 } as const;
const told = (id: string, phase: StepPhase, more: { readonly failure?: Failure } = {}) =>
  ({
    kind: "step",
    ...key,
    step: id,
    phase,
    moment,
    elapsedMs: 1_500,
    ...more,
    outputs: { found: "3.0.0" },
    tail: "停止\n",
    runner: tool,
  }) as const;

/** After `born`. The list is total: a kind that is missing does not typecheck. */
const byKind: { readonly [K in Exclude<Entry["kind"], "born">]: readonly Extract<Entry, { kind: K }>[] } = {
  awoke: [{ kind: "awoke", bootId: "boot-1", version: "0.1.0" }],
  "epoch-seen": [
    { kind: "epoch-seen", cluster: "账单", epoch: 7, nonce: "n7", rollout, auditHead: "head-1" },
    { kind: "epoch-seen", cluster: "stock", epoch: 3, nonce: "n3", rollout: "older", auditHead: "" },
  ],
  "audit-head": [{ kind: "audit-head", head: "head-2" }],
  accepted: [{ kind: "accepted", program }],
  "enter-asked": [{ kind: "enter-asked", ...key }],
  entered: [{ kind: "entered", ...key }],
  "tool-intended": [
    {
      kind: "tool-intended",
      ref: { ...key, step: "stop", part: "run", again: 0, index: 0 },
      name: tool,
      runner: "group",
      argvDigest: "d".repeat(64),
      bootId: "boot-1",
    },
    {
      kind: "tool-intended",
      ref: { ...key, step: "fence", part: "undo", again: 1, index: 0 },
      name: `${tool}-undo`,
      runner: "unit",
      argvDigest: "e".repeat(64),
      bootId: "boot-1",
    },
  ],
  "tool-marked": [{ kind: "tool-marked", name: tool, mark: { pid: 4_711, startTicks: 99 } }],
  "tool-ended": [{ kind: "tool-ended", name: tool, exitCode: 0, result: "exited" }],
  step: [
    ...Object.values(StepPhase).map((phase) => ({ ...told("stop", phase), rollout: "older" })),
    told("look", StepPhase.DONE),
    told("fence", StepPhase.STARTED),
    told("fence", StepPhase.DONE),
    told("stop", StepPhase.STARTED),
    told("stop", StepPhase.UNKNOWN, { failure: why }),
  ],
  "hold-answered": [
    { kind: "hold-answered", ...key, step: "fence", madePermanent: false, refusal: why },
    { kind: "hold-answered", ...key, step: "fence", madePermanent: true },
  ],
  "watch-armed": [
    { kind: "watch-armed", rollout, id: "lag", watch },
    { kind: "watch-armed", rollout, id: "other", watch: { ...watch, id: "other" } },
  ],
  "watch-disarmed": [{ kind: "watch-disarmed", rollout, id: "other" }],
  "watch-reacting": [{ kind: "watch-reacting", rollout, id: "lag", measured: 61 }],
  "watch-fired": [
    { kind: "watch-fired", rollout, id: "lag", measured: 61, reacted: false, failure: why },
    {
      kind: "watch-fired",
      rollout,
      id: "other",
      measured: 1,
      reacted: true,
      goesOn: true,
      outputs: { "told.keys": "one was given" },
    },
  ],
  ended: [
    ...Object.values(ProgramOutcome).map(
      (outcome) => ({ kind: "ended", ...key, rollout: "older", epoch: 3, outcome, step: "" }) as const,
    ),
    { kind: "ended", ...key, epoch: 7, outcome: ProgramOutcome.UNKNOWN, step: "stop", failure: why },
  ],
  "stop-asked": [{ kind: "stop-asked", ...key, undo: true, ask: 41 }],
  "undo-started": [{ kind: "undo-started", ...key, step: "fence" }],
  freed: [{ kind: "freed", rollout: "older", stage: "node-db1", attempt: 1 }],
  closed: [{ kind: "closed", rollout: "older" }],
};

export const everyEntry: readonly Entry[] = Object.values(byKind).flat();
