/** KWDB from 2.x to 3.x: the data goes into a new cluster; the old one keeps serving reads until the end. */
import type { Plan } from "#coordinator/domain/plan.ts";
import {
  clusterStage,
  finish,
  gate,
  hour,
  minute,
  phase,
  plan,
  preflight,
  program,
  stepsOf,
} from "./words.ts";

const step = stepsOf("kwdb");
const oldWell = gate("kwdb.cluster-healthy", "billing");
const newWell = gate("kwdb.cluster-healthy", "billing3");

const fence = step("fence-writes", "SET CLUSTER SETTING default_transaction_read_only.enabled = true", {
  class: "reversible",
  undo: "unfence-writes",
  holdLimitMs: 12 * hour,
  mayStopAfter: true,
});

export const kwdbExportImport: Plan = plan({
  engine: "kwdb",
  clusters: ["billing", "billing3"],
  from: "2.2.1",
  to: "3.1.0",
  strategy: "offline",
  method: "export-import",
  stages: [
    preflight(
      "look",
      program("billing", "db1", step("measure-data", "sizes, tables, users, settings; room for the export")),
      program("billing3", "new1", step("prove-empty", "the new cluster is empty, of 3.1.0, and has room")),
    ),
    clusterStage("move", ["billing", "billing3"], {
      before: [oldWell, newWell],
      phases: [
        phase("fence", "parallel", [
          program("billing", "db1", fence, step("prove-fenced", "a write is refused")),
        ]),
        phase("export", "parallel", [
          program(
            "billing",
            "db1",
            step("export", "EXPORT INTO CSV, users, settings", {
              class: "reversible",
              deadlineMs: 6 * hour,
              onDeadline: "observe",
              undo: "drop-export",
            }),
            step("rewrite-meta", "take PARTITION INTERVAL out of meta.sql", {
              class: "reversible",
              undo: "drop-export",
            }),
          ),
        ]),
        phase("import", "parallel", [
          program(
            "billing3",
            "new1",
            step("import", "IMPORT DATABASE CSV DATA", {
              class: "reversible",
              deadlineMs: 6 * hour,
              onDeadline: "observe",
              undo: "drop-imported",
            }),
            step("prove-rejects", "no rows in reject.txt", { mayStopAfter: true }),
          ),
        ]),
        phase(
          "compare",
          "parallel",
          [
            program("billing", "db1", step("count-rows", "rows and sums per table")),
            program("billing3", "new1", step("count-rows", "rows and sums per table")),
          ],
          { after: [gate("kwdb.counts-agree", "billing3", { dwellMs: 0, limitMs: 10 * minute })] },
        ),
      ],
      waysOnFailure: ["way.unfence-and-drop-new"],
    }),
    {
      kind: "wait",
      id: "switch",
      gates: [],
      watches: [],
      approval: { question: "ask.kwdb.applications-use-the-new-cluster", mayAnswer: "operator" },
      limitMs: 10 * hour,
    },
    clusterStage("retire", ["billing"], {
      phases: [
        phase("close", "parallel", [program("billing", "db1", step("prove-no-sessions", "SHOW SESSIONS"))], {
          makesPermanent: ["move/fence/fence-writes"],
        }),
        phase("stop", "parallel", [
          program("billing", "db1", step("stop", "systemctl stop kaiwudb", { class: "irreversible" })),
        ]),
      ],
      waysOnFailure: ["way.go-on-with-node"],
    }),
    finish([newWell], program("billing3", "new1", step("prove-version", "version of the running process"))),
  ],
  // the applications write into the new cluster from the moment at which they were switched
  pointOfNoReturn: "retire/stop/stop",
  wayBack: ["way-back.kwdb.unfence-the-old", "way-back.kwdb.all"],
  warnings: ["warning.kwdb.read-only-while-moving"],
  asks: ["kwdb.backup"],
});
