/** The TimescaleDB extension: files on every node beside the old ones, a rehearsal on a copy, one ALTER for all. */
import type { Plan } from "#coordinator/domain/plan.ts";
import {
  clusterStage,
  day,
  finish,
  gate,
  hour,
  minute,
  nodeStage,
  phase,
  plan,
  preflight,
  program,
  second,
  stepsOf,
  watch,
} from "./words.ts";

const step = stepsOf("timescaledb");
const well = gate("timescaledb.cluster-well", "metrics");
const nodes = ["ts2", "ts3", "ts1"] as const;

const install = step("install-files", "apt-get install of the new version's files, beside the old", {
  class: "reversible",
  deadlineMs: 15 * minute,
  onDeadline: "observe",
  undo: "remove-files",
  mayStopAfter: true,
});
const alter = (id: string) =>
  step(id, "ALTER EXTENSION timescaledb UPDATE, first statement of a new session, in every database", {
    class: "irreversible",
    deadlineMs: hour,
    onDeadline: "observe",
  });

export const timescaledbExtension: Plan = plan({
  engine: "timescaledb",
  clusters: ["metrics", "metrics-rehearsal"],
  from: "2.14.2",
  to: "2.19.3",
  strategy: "rolling",
  method: "extension-update",
  stages: [
    preflight(
      "look",
      ...nodes.map((node) => program("metrics", node, step("prove-path", "hops, preload, free space, jobs"))),
    ),
    nodeStage(
      program(
        "metrics-rehearsal",
        "scratch1",
        step("restore-copy", "pg_basebackup into an empty instance", {
          class: "reversible",
          deadlineMs: 12 * hour,
          onDeadline: "observe",
          undo: "drop-copy",
        }),
        step("install-files", "the new version's files", { class: "reversible", undo: "remove-files" }),
        alter("rehearse-update"),
        step("prove-rehearsal", "version, chunks, continuous aggregates, compressed reads; how long it took"),
        step("drop-copy", "the copy goes", { class: "irreversible", mayStopAfter: true }),
      ),
      { before: [well], after: [] },
    ),
    {
      kind: "wait",
      id: "go",
      gates: [],
      watches: [
        watch(
          "primary-load",
          { cluster: "metrics", node: "ts1" },
          {
            probe: { verb: "timescaledb.longest-transaction-seconds", args: {} },
            warnAt: 600,
            reactAt: 3_600,
            reaction: { verb: "timescaledb.note", args: {} },
          },
        ),
      ],
      approval: { question: "ask.timescaledb.rehearsed-go-on", mayAnswer: "operator" },
      limitMs: 3 * day,
    },
    ...nodes.map((node) => nodeStage(program("metrics", node, install), { before: [well], after: [well] })),
    clusterStage("update", ["metrics"], {
      driver: "ts1",
      before: [well, gate("timescaledb.no-long-transactions", "metrics", { dwellMs: 10 * second })],
      phases: [
        phase("quiet", "parallel", [
          program(
            "metrics",
            "ts1",
            step("pause-jobs", "alter_job(…, scheduled => false) for every job", {
              class: "reversible",
              undo: "resume-jobs",
              holdLimitMs: 2 * hour,
            }),
          ),
        ]),
        phase("alter", "parallel", [program("metrics", "ts1", alter("update-extension"))]),
        phase(
          "jobs",
          "parallel",
          [
            program(
              "metrics",
              "ts1",
              step("resume-jobs", "every job as it was", { class: "reversible", undo: "pause-jobs" }),
            ),
          ],
          { after: [well, gate("timescaledb.jobs-run", "metrics", { limitMs: 2 * hour })] },
        ),
      ],
      waysOnFailure: ["way.go-on-with-node", "way.restore-from-backup"],
    }),
    finish(
      [well],
      ...nodes.map((node) => program("metrics", node, step("prove-version", "the loaded library's version"))),
    ),
  ],
  pointOfNoReturn: "update/alter/update-extension",
  wayBack: ["way-back.timescaledb.remove-files", "way-back.timescaledb.restore"],
  asks: ["timescaledb.backup"],
});
