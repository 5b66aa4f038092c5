/** openGauss: one node's tool changes all the others; nobody may end it, and nothing is final before the commit. */
import type { Plan } from "#coordinator/domain/plan.ts";
import { clusterStage, day, finish, gate, hour, phase, plan, preflight, program, stepsOf } from "./words.ts";

const step = stepsOf("opengauss");
const well = gate("opengauss.cluster-normal", "ledger");
const nodes = ["og1", "og2", "og3"] as const;

export const opengaussDriver: Plan = plan({
  engine: "opengauss",
  clusters: ["ledger"],
  from: "5.0.1",
  to: "6.0.2",
  strategy: "rolling",
  method: "gs_upgradectl-grey",
  stages: [
    preflight(
      "look",
      ...nodes.map((node) =>
        program("ledger", node, step("stage-package", "fetch, prove, unpack as the cluster's user")),
      ),
    ),
    clusterStage("upgrade", ["ledger"], {
      driver: "og1",
      before: [well],
      phases: [
        phase("prepare", "parallel", [
          program(
            "ledger",
            "og1",
            step("preinstall", "gs_preinstall -X …", {
              class: "reversible",
              deadlineMs: hour,
              onDeadline: "observe",
            }),
          ),
        ]),
        phase(
          "change",
          "parallel",
          [
            program(
              "ledger",
              "og1",
              step("auto-upgrade", "gs_upgradectl -t auto-upgrade --grey", {
                class: "reversible",
                deadlineMs: 4 * hour,
                onDeadline: "observe",
                undo: "auto-rollback",
              }),
            ),
          ],
          { after: [well] },
        ),
        phase(
          "seen",
          "parallel",
          nodes.map((node) => program("ledger", node, step("prove-version", "gaussdb -V, gs_om -t status"))),
          {
            after: [gate("opengauss.standbys-caught-up", "ledger")],
          },
        ),
      ],
      waysOnFailure: ["way.auto-rollback", "way.go-on-with-node"],
    }),
    {
      kind: "wait",
      id: "observe",
      gates: [gate("opengauss.cluster-normal", "ledger", { dwellMs: hour, limitMs: day })],
      watches: [],
      approval: { question: "ask.opengauss.commit", mayAnswer: "operator" },
      limitMs: 7 * day,
    },
    clusterStage("commit", ["ledger"], {
      driver: "og1",
      before: [well],
      phases: [
        phase("commit", "parallel", [
          program(
            "ledger",
            "og1",
            step("commit-upgrade", "gs_upgradectl -t commit-upgrade", {
              class: "irreversible",
              deadlineMs: hour,
              onDeadline: "observe",
            }),
          ),
        ]),
      ],
      waysOnFailure: ["way.go-on-with-node"],
    }),
    finish([well], ...nodes.map((node) => program("ledger", node, step("prove-version", "gaussdb -V")))),
  ],
  pointOfNoReturn: "commit/commit/commit-upgrade",
  wayBack: ["way-back.opengauss.auto-rollback", "way-back.opengauss.restore"],
  asks: ["opengauss.backup"],
});
