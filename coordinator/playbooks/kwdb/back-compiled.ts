/** The way back of a build from source: the folder that was put aside gets its name back, and is started as it was before. */
import type { PlanStep } from "../../domain/plan.ts";
import type { BackNode, BackSet } from "./back-set.ts";
import { reloadStep, savedStep } from "./back-steps.ts";
import { compiledSteps } from "./compiled-steps.ts";
import { minute, step } from "./step.ts";
import type { Journey } from "./steps.ts";

function argsOf({ back, journey }: BackNode) {
  return { of: back.rollout, version: journey.to, from: journey.from };
}

function proveKept(node: BackNode): PlanStep {
  const folder = node.source.kind === "build" ? node.source.folder : "the kept folder";
  return step(
    "prove-kept-build",
    argsOf(node),
    `sha256 of every file of ${folder}, against the rollout's record`,
    {
      deadlineMs: 10 * minute,
    },
  );
}

function exchange(node: BackNode): PlanStep {
  const { back, journey } = node;
  const folder = journey.program?.folder ?? "FOLDER";
  const [aside, kept] = [
    `${folder}.kept-${journey.from}-ROLLOUT`,
    `${folder}.kept-${journey.to}-${back.rollout}`,
  ];
  return step("put-build-back", argsOf(node), `mv ${folder} ${aside}; mv ${kept} ${folder}`, {
    class: "reversible",
    deadlineMs: 15 * minute,
    undo: { verb: "kwdb.put-build-aside", args: argsOf(node) },
  });
}

function change(node: BackNode): readonly PlanStep[] {
  const { back, journey } = node;
  return [
    exchange(node),
    step(
      "restore-start",
      { of: back.rollout },
      `the start that ${back.rollout} has found: user, words, environment, limits`,
      {
        class: "reversible",
        deadlineMs: minute,
        undo: { verb: "kwdb.restore-start", args: { of: "" } },
      },
    ),
    step(
      "prove-build-back",
      argsOf(node),
      "sha256 of every file; kwbase version and ldd, with that environment",
      {
        deadlineMs: 10 * minute,
        mayStopAfter: false,
      },
    ),
    savedStep("restore-configuration", back, journey),
    ...(journey.program?.unit == null ? [] : [reloadStep]),
  ];
}

function start(journey: Journey, node: BackNode | undefined): readonly PlanStep[] {
  const unit = journey.program?.unit ?? null;
  const shown =
    unit === null
      ? "as it was started before, by the transient unit that the agent's file names"
      : `systemctl start ${unit}`;
  return [
    step("start", {}, shown, { class: "irreversible", deadlineMs: 2 * minute, onDeadline: "observe" }),
    ...(node === undefined
      ? []
      : [
          step("prove-running-back", argsOf(node), "sha256 of /proc/PID/exe is that of the old build", {
            deadlineMs: 2 * minute,
            mayStopAfter: false,
          }),
        ]),
  ];
}

export const backCompiled: BackSet = {
  proving: (node) => [proveKept(node), savedStep("prove-saved", node.back, node.journey)],
  proveOld: (node) => [proveKept(node)],
  keep: () => [
    step(
      "keep-start",
      {},
      "user, words, folder, environment and limits of the process, sha256 of its build, into the agent's folder",
      { deadlineMs: 10 * minute },
    ),
  ],
  stop: compiledSteps.stop,
  change,
  start,
  tidy: ({ journey }) => compiledSteps.tidy(journey),
  saves: "certificates and unit as they are now",
};
