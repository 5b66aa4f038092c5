/** A plan with every kind of stage and every field that a plan can have: what plan files and histories must keep. */
import { createHash } from "node:crypto";
import { digestedText } from "#coordinator/domain/digest.ts";
import {
  type GateSpec,
  type Plan,
  type PlanProgram,
  type PlanStep,
  planFormat,
} from "#coordinator/domain/plan.ts";

const look: PlanStep = {
  id: "look",
  call: { verb: "kwdb.look-at-others", args: { others: "db2,db3" } },
  class: "observe",
  deadlineMs: 30_000,
  onDeadline: "end",
  mayStopAfter: true,
  shownAs: "kwbase node status",
};

const stop: PlanStep = {
  id: "stop",
  call: { verb: "kwdb.stop", args: {} },
  class: "reversible",
  deadlineMs: 600_000,
  onDeadline: "observe",
  mayStopAfter: false,
  undo: { verb: "kwdb.start", args: {} },
  service: "goes",
  shownAs: "systemctl stop kaiwudb",
};

const fence: PlanStep = { ...stop, id: "fence", holdLimitMs: 120_000, shownAs: "alter system set fence" };

const upgrade: PlanStep = {
  ...look,
  id: "upgrade",
  call: { verb: "kwdb.upgrade", args: { digest: "a".repeat(64) } },
  class: "irreversible",
  service: "is-back",
  shownAs: "./deploy.sh upgrade -l",
};

const on = (node: string, ...steps: readonly PlanStep[]): PlanProgram => ({ cluster: "账单", node, steps });

const gate: GateSpec = {
  gate: "kwdb.ranges",
  cluster: "账单",
  args: { live: "3" },
  everyMs: 10_000,
  dwellMs: 30_000,
  limitMs: 1_800_000,
  ofSkipped: { db3: { live: "2" } },
};

const withoutDigest: Omit<Plan, "digest"> = {
  format: planFormat,
  engine: "kwdb",
  clusters: ["账单"],
  from: "3.0.0",
  to: "3.1.0",
  strategy: "rolling",
  method: "script",
  artefact: { digest: "a".repeat(64), name: "KWDB-3.1.0.tar.gz" },
  boundTo: { "db1.version": "3.0.0", playbook: "1" },
  stages: [
    { kind: "preflight", id: "preflight", programs: [on("db1", look), on("db2", look)] },
    {
      kind: "node",
      id: "node-db1",
      cluster: "账单",
      node: "db1",
      from: "2.2.0",
      before: [gate],
      program: on("db1", look, stop, upgrade),
      after: [gate],
    },
    {
      kind: "cluster",
      id: "swap",
      clusters: ["账单"],
      driver: "db2",
      touches: ["db2", "db3"],
      before: [gate],
      phases: [
        { id: "fence", order: "parallel", programs: [on("db2", fence), on("db3", fence)], after: [gate] },
        {
          id: "upgrade",
          order: "one-by-one",
          programs: [on("db2", upgrade)],
          after: [],
          makesPermanent: ["swap/fence/fence"],
        },
      ],
      waysOnFailure: ["way.go-on-with-node"],
    },
    {
      kind: "wait",
      id: "soak",
      gates: [gate],
      watches: [
        {
          id: "lag",
          cluster: "账单",
          node: "db1",
          probe: { verb: "kwdb.lag", args: {} },
          warnAt: 10,
          reactAt: 60,
          reaction: { verb: "kwdb.resume", args: {} },
          everyMs: 5_000,
        },
      ],
      approval: { question: "go on?", mayAnswer: "the owner" },
      limitMs: 86_400_000,
    },
    { kind: "finish", id: "finish", programs: [on("db1", look)], gates: [gate] },
  ],
  checks: [
    { id: "kwdb.backup", node: "db1", status: "ok", facts: { folder: "/backup" }, yields: "never" },
    {
      id: "kwdb.sessions",
      status: "unknown",
      facts: {},
      reason: { code: "look.failed", facts: { what: "sessions" } },
      yields: "acknowledge",
    },
  ],
  asks: ["kwdb.sessions"],
  pointOfNoReturn: "node-db1/upgrade",
  wayBack: ["way.back-before"],
  warnings: ["warning.one-way"],
};

export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** With its digest where the product writes it: behind the number. */
export function wholePlan(): Plan {
  const { format, ...rest } = withoutDigest;
  return { format, digest: sha256(digestedText({ ...withoutDigest, digest: "" })), ...rest };
}
