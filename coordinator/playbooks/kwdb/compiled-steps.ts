/** Steps of a build from source, with the command a person would type for each. */
import type { PlanStep } from "../../domain/plan.ts";
import { minute, step } from "./step.ts";
import type { StepSet } from "./step-set.ts";
import { type Journey, lookSteps, type Staging, stopSteps } from "./steps.ts";

const proven =
  "manifest.json and sha256 of every file; kwbase version, platform, ldd; only bin and lib in the folder; free space";

function staging({ digest, to }: Staging): readonly PlanStep[] {
  const fetched = `fetch sha256:${digest.slice(0, 12)}… and unpack it into the agent's folder`;
  return [
    step("stage-build", { digest, version: to }, fetched, { deadlineMs: 60 * minute }),
    step("prove-build", { digest, version: to }, proven, { deadlineMs: 10 * minute }),
  ];
}

/** With the start kept and the new build laid beside the old one: afterwards nothing is read or copied but names. */
function look(journey: Journey): readonly PlanStep[] {
  const { digest, from, program } = journey;
  const folder = program?.folder ?? "FOLDER";
  return [
    ...lookSteps(journey).map((each) =>
      each.id === "save-configuration"
        ? { ...each, shownAs: "copy certificates and unit into the agent's folder" }
        : each,
    ),
    step(
      "keep-start",
      {},
      "user, words, folder, environment and limits of the process, sha256 of its build, into the agent's folder",
      { deadlineMs: 10 * minute },
    ),
    step("lay-build", { digest, from }, `cp -a of the build to ${folder}.new-${digest.slice(0, 12)}`, {
      deadlineMs: 15 * minute,
    }),
  ];
}

function stop({ program }: Journey): readonly PlanStep[] {
  const unit = program?.unit ?? null;
  const shown = unit === null ? "kill -TERM of the process; KILL after 90 s" : `systemctl stop ${unit}`;
  return stopSteps.map((each) =>
    each.id === "stop" ? { ...each, shownAs: shown } : { ...each, shownAs: "no process left, port closed" },
  );
}

function change({ digest, from, to, program }: Journey): readonly PlanStep[] {
  const folder = program?.folder ?? "FOLDER";
  const laid = `${folder}.new-${digest.slice(0, 12)}`;
  return [
    step(
      "exchange-build",
      { digest, from },
      `mv ${folder} ${folder}.kept-${from}-ROLLOUT; mv ${laid} ${folder}`,
      {
        class: "reversible",
        deadlineMs: 15 * minute,
        undo: { verb: "kwdb.exchange-build-back", args: { digest, from } },
      },
    ),
    step(
      "prove-build-files",
      { digest, version: to },
      "sha256 of every file; kwbase version and ldd, with the environment that was kept",
      { deadlineMs: 10 * minute, mayStopAfter: false },
    ),
  ];
}

/** The new version opens the data: from here on the old one is not simply started again. */
function start({ digest, from, program }: Journey): readonly PlanStep[] {
  return [
    step("start", { digest, from }, startCommand(program), {
      verb: "start-build",
      class: "irreversible",
      deadlineMs: 2 * minute,
      onDeadline: "observe",
    }),
    step("prove-running-build", { digest }, "sha256 of /proc/PID/exe is that of the manifest", {
      deadlineMs: 2 * minute,
      mayStopAfter: false,
    }),
  ];
}

function startCommand(program: Journey["program"]): string {
  if (program === undefined) return "start as it was started before";
  if (program.unit !== null) return `systemctl start ${program.unit}`;
  const [, ...words] = program.argv;
  return `as the transient unit that the agent's file names: cd ${program.cwd}; ${program.folder}/bin/kwbase ${words.join(" ")}`;
}

export const compiledSteps: StepSet = {
  staging,
  look,
  stop,
  change,
  start,
  tidy: () => [
    step("forget-old-builds", {}, "rm of kept builds but the two newest", { deadlineMs: 10 * minute }),
  ],
  noReturn: { phase: "start", step: "start" },
  wayBack: { before: "way-back.kwdb.before-start", after: "way-back.kwdb.kept-build" },
};
