/** Steps of KWDB in containers, with the command a person would type for each. */
import type { PlanStep } from "../../domain/plan.ts";
import { minute, step } from "./step.ts";
import type { StepSet } from "./step-set.ts";
import {
  changeSteps,
  type Journey,
  lookSteps,
  type Staging,
  stagingSteps,
  startSteps,
  stopSteps,
} from "./steps.ts";

function labelOf({ node, from, to }: Pick<Journey, "node" | "from" | "to">): string {
  return `${node}-${from}-to-${to}`;
}

/** Where the image comes from: a package, by its digest, a registry, or the engine itself. */
export function imageArgs({ digest, reference = "", present, to }: Staging) {
  return { digest: reference === "" ? digest : "", reference, version: to, ...present };
}

/** As it stands in a command line. */
function imageWord({ reference, present }: Staging): string | undefined {
  return present?.name ?? reference;
}

/** Loaded and proven before anything is stopped: a file that does not load is found while the database serves. */
function imageStaging(staging: Staging): readonly PlanStep[] {
  const { to, digest, reference } = staging;
  if (reference !== undefined)
    return [
      step("pull-image", { reference, version: to }, `docker pull ${reference}; kwbase version in it`, {
        deadlineMs: 60 * minute,
      }),
    ];
  const staged = stagingSteps(staging).map((each) =>
    each.id === "prove-package" ? { ...each, shownAs: "packages/.version, KaiwuDB.tar" } : each,
  );
  return [
    ...staged,
    step("load-image", { digest, version: to }, "docker load < KaiwuDB.tar; kwbase version in the image", {
      deadlineMs: 30 * minute,
    }),
  ];
}

function look(journey: Journey): readonly PlanStep[] {
  const saved = journey.form === "compose-service" ? "/etc/kaiwudb, kaiwudb.service" : "the compose file";
  const what = journey.form === "docker-run" ? "docker inspect" : `${saved} and docker inspect`;
  return [
    ...lookSteps(journey)
      .filter(({ id }) => id !== "prove-digest" || journey.reference === undefined)
      .map((each) =>
        each.id === "save-configuration" ? { ...each, shownAs: `${what} into the agent's folder` } : each,
      ),
    keepImage(journey),
  ];
}

export function keepImage(journey: Pick<Journey, "node" | "from" | "to">, which = "old"): PlanStep {
  return step(
    "keep-image",
    { label: labelOf(journey) },
    `docker tag of the ${which} image, so that removing its name does not remove it`,
    { deadlineMs: minute },
  );
}

export function proveImage(journey: Journey): PlanStep {
  return step(
    "prove-image",
    imageArgs(journey),
    "the image that a start would take: its id, kwbase version in it",
    {
      deadlineMs: minute,
      mayStopAfter: false,
    },
  );
}

function tidy(journey: Journey): readonly PlanStep[] {
  const shown =
    journey.form === "docker-run"
      ? "docker rm of the old container, docker rmi of the old image"
      : "docker rmi of the old image";
  return [
    step("forget-kept", { label: labelOf(journey) }, `${shown}; volumes stay`, { deadlineMs: 5 * minute }),
  ];
}

/** By `docker` itself, where no unit starts it; 90 s of patience, since docker's own are 10. */
function stopByDocker({ container = "CONTAINER" }: Journey): readonly PlanStep[] {
  return stopSteps.map((each) =>
    each.id === "stop"
      ? { ...each, shownAs: `docker stop --time=90 ${container}` }
      : { ...each, shownAs: "container not running, no other on its data, port closed" },
  );
}

/** As deploy.sh installs it: the script loads, removes the old container and image, and changes the compose file. */
export const composeServiceSteps: StepSet = {
  staging: imageStaging,
  look,
  stop: () => stopSteps,
  change: (journey) =>
    changeSteps(journey).flatMap((each) =>
      each.id === "prove-files" ? [each, proveImage(journey)] : [each],
    ),
  start: () => startSteps,
  tidy,
  noReturn: { phase: "change", step: "upgrade-package" },
};

/** A compose file of the operator's own: one line of it changes, and compose makes the container anew. */
export const composeSteps: StepSet = {
  staging: imageStaging,
  look,
  stop: stopByDocker,
  change: (journey) => [
    step(
      "change-image-line",
      imageArgs(journey),
      `image: ${imageWord(journey) ?? "that of KaiwuDB.tar"}   in ${journey.composeFile ?? "the compose file"}`,
      {
        class: "reversible",
        deadlineMs: minute,
        undo: { verb: "kwdb.restore-image-line", args: {} },
      },
    ),
    proveImage(journey),
  ],
  start: (journey) => [
    step("start", imageArgs(journey), `docker-compose -f ${journey.composeFile ?? "FILE"} up -d`, {
      verb: "up-container",
      class: "irreversible",
      deadlineMs: 10 * minute,
      onDeadline: "observe",
    }),
  ],
  tidy,
  noReturn: { phase: "start", step: "start" },
};

/** `docker run`: the old container is renamed, the new one created by the operator's own words. */
export const dockerRunSteps: StepSet = {
  staging: imageStaging,
  look,
  stop: stopByDocker,
  change: (journey) => {
    const { container = "CONTAINER", repeats } = journey;
    return [
      step(
        "set-aside",
        {},
        `docker rename ${container} ${container}-before-ROLLOUT; docker update --restart=no`,
        {
          class: "reversible",
          deadlineMs: minute,
          undo: { verb: "kwdb.bring-back", args: {} },
        },
      ),
      step(
        "create-container",
        { ...imageArgs(journey), words: repeats?.sha256 ?? "" },
        createCommand(journey),
        {
          class: "reversible",
          deadlineMs: 5 * minute,
          undo: { verb: "kwdb.remove-container", args: imageArgs(journey) },
        },
      ),
      proveImage(journey),
    ];
  },
  // the new version opens the data: from here on the old one is not simply started again
  start: ({ container = "CONTAINER" }) => [
    step("start", {}, `docker start ${container}`, {
      class: "irreversible",
      deadlineMs: minute,
      onDeadline: "observe",
    }),
  ],
  tidy,
  noReturn: { phase: "start", step: "start" },
};

/** As a person would type it, word by word. */
function createCommand(journey: Journey): string {
  const { container = "CONTAINER", repeats } = journey;
  const { options = [], command = [] } = repeats ?? {};
  const image = imageWord(journey) ?? "IMAGE-OF-KaiwuDB.tar";
  const words = ["docker", "create", "--name", container, ...options, image, ...command];
  return words.map(quoted).join(" ");
}

function quoted(word: string): string {
  return /^[A-Za-z0-9_./:=@,+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
