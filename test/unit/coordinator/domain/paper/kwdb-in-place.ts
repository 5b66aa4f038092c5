/** KWDB where it stands: containers, and builds from source. */
import type { Plan, PlanStep } from "#coordinator/domain/plan.ts";
import { finish, gate, hour, minute, nodeStage, plan, preflight, program, stepsOf } from "./words.ts";

const step = stepsOf("kwdb");
const nodes = ["db1", "db2", "db3"] as const;
const wayBack = ["way-back.kwdb.before", "way-back.kwdb.one-node", "way-back.kwdb.all"];

const stage = step("stage-package", "fetch and unpack the package into the agent's folder", {
  deadlineMs: hour,
});
const prove = step("prove-package", "version, kind, architecture, dry run of the installation, free space");
const look = step("look-around", "kwbase node status, seen from this node");
const drain = step("drain", "kwbase node drain", {
  class: "reversible",
  deadlineMs: 11 * minute,
  undo: "restart",
});
const stop = step("stop", "systemctl stop kaiwudb", { class: "reversible", undo: "start" });
const proveStopped = step("prove-stopped", "no process left, port closed", { mayStopAfter: false });
const start = step("start", "systemctl start kaiwudb", { class: "reversible", undo: "stop" });
const ready = step("prove-ready", "GET /health?ready=1, own row of node status", { mayStopAfter: false });

const healthy = gate("kwdb.cluster-healthy", "billing");
const proveVersion = step("prove-version", "version of the running process");
const staging = (...on: readonly string[]) =>
  preflight("stage-package", ...on.map((node) => program("billing", node, stage, prove)));
const lastLook = (...on: readonly string[]) =>
  finish([healthy], ...on.map((node) => program("billing", node, proveVersion)));

/** As by script, node by node; what is exchanged is an image, and what is proven is the running container. */
export const kwdbContainer: Plan = rolling("container", [
  step("load-image", "docker load -i KaiwuDB.tar", {
    class: "reversible",
    deadlineMs: 15 * minute,
    undo: "drop-image",
  }),
  drain,
  stop,
  step("prove-container-gone", "docker ps -a --filter name=^kaiwudb-container$", { mayStopAfter: false }),
  step("upgrade-package", "./deploy.sh upgrade -l", {
    class: "irreversible",
    deadlineMs: 15 * minute,
    onDeadline: "observe",
  }),
  step("prove-image", "image id in docker-compose.yml is the loaded one", { mayStopAfter: false }),
  start,
  ready,
]);

/** Files beside files and one rename: the way back is open until the new version has opened the data. */
export const kwdbCompiled: Plan = rolling(
  "compiled",
  [
    drain,
    stop,
    proveStopped,
    step("exchange-build", "rename the link to the new build", {
      class: "reversible",
      undo: "exchange-build-back",
    }),
    step("start", "systemctl start kaiwudb", { class: "irreversible", deadlineMs: minute }),
    ready,
  ],
  "start",
);

function rolling(method: string, steps: readonly PlanStep[], noReturn = "upgrade-package"): Plan {
  return plan({
    engine: "kwdb",
    clusters: ["billing"],
    from: "3.0.0",
    to: "3.1.0",
    strategy: "rolling",
    method,
    stages: [
      staging(...nodes),
      ...nodes.map((node) =>
        nodeStage(program("billing", node, look, ...steps), { before: [healthy], after: [healthy] }),
      ),
      lastLook(...nodes),
    ],
    pointOfNoReturn: `node-db1/${noReturn}`,
    wayBack,
  });
}
