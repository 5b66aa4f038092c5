/**
 * The way back of KWDB in containers: the steps of the forward way with the old image. `deploy.sh` is not called: it
 * refuses an older version, and removes container and image before it knows that the next one loads.
 */
import type { PlanStep } from "../../domain/plan.ts";
import type { BackNode, BackSet } from "./back-set.ts";
import { provenFilesSteps, savedStep } from "./back-steps.ts";
import { argsOf } from "./back-way.ts";
import { composeSteps, dockerRunSteps, imageArgs, keepImage, proveImage } from "./container-steps.ts";
import { minute, step } from "./step.ts";
import { type Journey, keepingSteps, startSteps, stopSteps } from "./steps.ts";

function argsFor({ journey, source }: BackNode) {
  return { ...imageArgs(journey), ...(source.kind === "package-image" ? { name: source.name } : {}) };
}

function proveOldImage(node: BackNode): PlanStep {
  const { journey } = node;
  return step(
    "prove-old-image",
    argsFor(node),
    `docker image inspect of the old image; kwbase version in it is ${journey.to}; its name is free`,
    { deadlineMs: 2 * minute },
  );
}

/** Loaded or pulled while the database serves: what cannot be had is found before anything is stopped. */
function fetched({ journey, source }: BackNode): readonly PlanStep[] {
  const { to: version } = journey;
  switch (source.kind) {
    case "package-image":
      return [
        ...keepingSteps({ digest: source.digest, version }),
        step(
          "load-image",
          { digest: source.digest, version },
          "docker load < KaiwuDB.tar; kwbase version in the image",
          { deadlineMs: 30 * minute },
        ),
      ];
    case "registry": {
      const { reference } = source;
      return [
        step("pull-image", { reference, version }, `docker pull ${reference}; kwbase version in it`, {
          deadlineMs: 60 * minute,
        }),
      ];
    }
    case "image":
    case "package":
    case "build":
      return [];
  }
}

function proving(node: BackNode): readonly PlanStep[] {
  return [...fetched(node), proveOldImage(node)];
}

function keep({ journey, isWhole }: BackNode): readonly PlanStep[] {
  // an image line that names nothing has nothing to keep
  return isWhole ? [keepImage(journey, "present")] : [];
}

/** deploy.sh has taken it away, or it was kept under another. */
function restoreImage(node: BackNode): readonly PlanStep[] {
  const args = argsFor(node);
  if (!("name" in args)) return [];
  return [
    step("restore-image", args, `docker tag of the old image: ${args.name}`, {
      class: "reversible",
      deadlineMs: minute,
    }),
  ];
}

/** What the rollout has kept, and what this way back has; each by names with the rollout in them. */
function tidy({ back, journey, isWhole }: BackNode): readonly PlanStep[] {
  const label = argsOf(back, journey.node, "keep-image")?.["label"];
  const what =
    journey.form === "docker-run"
      ? "docker rm of the container, docker rmi of the tag"
      : "docker rmi of the tag";
  const own = `${journey.node}-${journey.from}-to-${journey.to}`;
  return [
    ...(label === undefined
      ? []
      : [
          step(
            "forget-kept-before",
            { label, of: back.rollout },
            `${what} that ${back.rollout} has kept; volumes stay`,
            {
              verb: "forget-kept",
              deadlineMs: 5 * minute,
            },
          ),
        ]),
    ...(isWhole
      ? [
          step("forget-kept", { label: own }, `${what} of the new version; volumes stay`, {
            deadlineMs: 5 * minute,
          }),
        ]
      : []),
  ];
}

const shared = { proving, proveOld: (node: BackNode) => [proveOldImage(node)], keep, tidy };

/** As deploy.sh installs it: its files as the rollout has found them, and the unit makes the container of them. */
export const backComposeService: BackSet = {
  ...shared,
  proving: (node) => [...proving(node), savedStep("prove-saved", node.back, node.journey)],
  stop: () => stopSteps,
  change: (node) => [
    ...restoreImage(node),
    savedStep("restore-configuration", node.back, node.journey),
    ...provenFilesSteps(node.journey, proveImage(node.journey)),
  ],
  start: () => startSteps,
  saves: "/etc/kaiwudb, kaiwudb.service and docker inspect as they are now",
};

/** Of the operator's file the one line alone: what was written into it since stays. */
export const backCompose: BackSet = {
  ...shared,
  stop: composeSteps.stop,
  change: (node) => [...restoreImage(node), ...composeSteps.change(node.journey)],
  start: (journey, node) => composeSteps.start(node?.journey ?? journey),
  saves: "the compose file and docker inspect as they are now",
};

/** The new container is set aside, not removed; one of the old image is created by the very words of it. */
export const backDockerRun: BackSet = {
  ...shared,
  stop: dockerRunSteps.stop,
  change: (node) => [...restoreImage(node), ...dockerRunSteps.change(node.journey)],
  start: (journey: Journey) => dockerRunSteps.start(journey),
  saves: "docker inspect as it is now",
};
