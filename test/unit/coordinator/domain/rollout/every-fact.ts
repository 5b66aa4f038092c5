/** A history with every kind of event and every field that an event can have, in an order that can happen. */
import type { Word } from "#coordinator/domain/check.ts";
import type { RolloutFact } from "#coordinator/domain/rollout/event.ts";
import type { Failure } from "#proto/common/failure.ts";

const why: Failure = { code: "gate.not-green", facts: { node: "db1" } };
const by = "ann@ops (unproven)";

const word: Word = {
  kind: "override",
  check: "kwdb.space",
  reason: "measured by hand",
  by,
  at: "2026-01-31T22:15:00.000Z",
  until: "2026-02-01T22:15:00.000Z",
  about: { node: "db1" },
};

const node = "node-db1";
const told = (agentSequence: number) => ({ node: "db1", stateId: "state-1", agentSequence });
const step = (id: string, agentSequence: number) =>
  ({
    kind: "step",
    ...told(agentSequence),
    stage: node,
    attempt: 1,
    step: id,
    measuredAt: "2026-01-31T22:16:00.000Z",
    elapsedMs: 1_500,
    outputs: { found: "3.0.0" },
    tail: "升级\n",
    runner: "lockkeeper-r-stop-1",
  }) as const;

/** After `rollout-started`. The list is total: a kind that is missing does not typecheck. */
const byKind: {
  readonly [K in Exclude<RolloutFact["kind"], "rollout-started">]: readonly Extract<
    RolloutFact,
    { kind: K }
  >[];
} = {
  "stage-started": [{ kind: "stage-started", stage: node, attempt: 1 }],
  "snapshot-taken": [{ kind: "snapshot-taken", stage: node, snapshot: "s-1", when: "before" }],
  "checks-judged": [
    {
      kind: "checks-judged",
      stage: node,
      blocking: [
        {
          id: "kwdb.space",
          node: "db1",
          status: "ko",
          facts: { free: "1" },
          reason: why,
          yields: "override",
        },
      ],
    },
  ],
  "drift-found": [
    {
      kind: "drift-found",
      stage: node,
      fields: [{ field: "db1.version", planned: "3.0.0", found: "3.0.1" }],
    },
  ],
  "gate-waited": [{ kind: "gate-waited", stage: node, gate: "kwdb.ranges", when: "before", why }],
  "gate-failed": [
    { kind: "gate-failed", stage: node, gate: "kwdb.ranges", when: "before", why, hint: "hint.gate" },
  ],
  "gate-passed": [
    {
      kind: "gate-passed",
      stage: node,
      gate: "kwdb.ranges",
      cluster: "账单",
      when: "before",
      dwellMs: 30_000,
      lastSampleAt: "2026-01-31T22:15:30.000Z",
    },
  ],
  waited: [{ kind: "waited", stage: node, why: { code: "window.closed", facts: {} } }],
  withdrawn: [{ kind: "withdrawn", stage: node, nonce: "n6", why }],
  granted: [
    {
      kind: "granted",
      stage: node,
      clusters: ["账单"],
      nodes: ["db1"],
      scope: "node",
      epochs: { 账单: 7 },
      nonce: "n7",
    },
  ],
  announced: [{ kind: "announced", stage: node, nonce: "n7" }],
  "program-refused": [{ kind: "program-refused", stage: node, node: "db1", attempt: 1, why }],
  "program-sent": [
    { kind: "program-sent", stage: node, node: "db1", attempt: 1, epoch: 7 },
    { kind: "program-sent", stage: "swap", phase: "fence", node: "db2", attempt: 1, epoch: 7 },
  ],
  entered: [{ kind: "entered", stage: node, node: "db1", epoch: 7 }],
  step: [
    { ...step("look", 10), phase: "done" },
    { ...step("stop", 11), phase: "started" },
    {
      ...step("stop", 12),
      phase: "failed",
      failure: { code: "step.deadline-passed", facts: { step: "stop" } },
    },
  ],
  "hold-made-permanent": [
    { kind: "hold-made-permanent", ...told(13), stage: "swap/fence", step: "fence", madePermanent: true },
    {
      kind: "hold-made-permanent",
      ...told(14),
      stage: "swap/fence",
      step: "other",
      madePermanent: false,
      refusal: { code: "hold.undone", facts: { step: "other" } },
    },
  ],
  "watch-answered": [{ kind: "watch-answered", ...told(15), watch: "lag", armed: true }],
  "watch-fired": [
    { kind: "watch-fired", ...told(16), watch: "lag", measured: 61, reacted: true },
    { kind: "watch-fired", ...told(17), watch: "lag", measured: 0, reacted: false, failure: why },
    {
      kind: "watch-fired",
      ...told(18),
      watch: "keys",
      measured: 1,
      reacted: true,
      goesOn: true,
      outputs: { "told.keys": "one was given" },
    },
  ],
  "program-ended": [
    {
      kind: "program-ended",
      ...told(19),
      stage: node,
      attempt: 1,
      epoch: 7,
      outcome: "failed",
      step: "stop",
      failure: { code: "step.deadline-passed", facts: { step: "stop" } },
    },
  ],
  "undo-asked": [{ kind: "undo-asked", stage: node, node: "db1", attempt: 1 }],
  "lock-broken": [
    {
      kind: "lock-broken",
      cluster: "账单",
      brokenAt: "2026-01-31T23:00:00.000Z",
      nodes: ["db1"],
      by,
      reason: "the host burnt",
      reached: false,
    },
  ],
  stopped: [{ kind: "stopped", stage: node, node: "db1", why, hint: "hint.program-failed" }],
  paused: [{ kind: "paused", by, reason: "lunch" }],
  resumed: [{ kind: "resumed", by, words: [word] }],
  retried: [{ kind: "retried", stage: node, node: "db1", by, words: [word] }],
  approved: [{ kind: "approved", stage: node, by, reason: "looks good" }],
  skipped: [{ kind: "skipped", node: "db3", by, reason: "its disk is on order" }],
  "phase-passed": [{ kind: "phase-passed", stage: "swap", phase: "fence" }],
  freed: [{ kind: "freed", stage: node, nonce: "n7" }],
  "stage-passed": [{ kind: "stage-passed", stage: node }],
  "stage-reopened": [{ kind: "stage-reopened", stage: "swap", by: "soak", why }],
  "wait-over": [{ kind: "wait-over", stage: "soak" }],
  "taken-over": [{ kind: "taken-over", coordinator: "ops-2-cd34ef" }],
  "abort-asked": [{ kind: "abort-asked", by, reason: "enough" }],
  aborted: [{ kind: "aborted" }],
  finished: [{ kind: "finished", notSeen: [{ code: "kwdb.compress-not-seen", facts: { node: "db1" } }] }],
};

export const everyFact: readonly RolloutFact[] = Object.values(byKind).flat();
export const oneWord = word;
