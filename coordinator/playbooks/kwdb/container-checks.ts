/** Checks of a node in a container; nothing is asked of the others. */

import { known } from "#proto/common/measured.ts";
import type { KwdbFull } from "#proto/engines/kwdb.ts";
import type { NodeCheck } from "./node-check.ts";
import { withFacts } from "./node-check.ts";
import { judge } from "./result.ts";

type Containers = "compose-service" | "compose" | "docker-run";

function inContainer(check: (facts: KwdbFull, form: Containers) => ReturnType<NodeCheck>): NodeCheck {
  return (input, { name }) => {
    if (input.cluster.deployment !== "container") return undefined;
    return withFacts(input, name, (facts) => {
      const form = known(facts.form);
      return form === undefined || form === "script" || form === "compiled" ? undefined : check(facts, form);
    });
  };
}

/** The engine answers, and docker-compose is there where it is called; deploy.sh calls it by this very name. */
const docker: NodeCheck = (input, node) =>
  inContainer((facts, form) =>
    judge({ id: "docker", node: node.name }, facts.docker, ({ version, compose }) => [
      form !== "docker-run" && compose === null ? "ko" : "ok",
      { version, compose: compose ?? "none" },
    ]),
  )(input, node);

const containerName: NodeCheck = (input, node) =>
  inContainer((facts, form) =>
    form === "compose-service"
      ? judge({ id: "container-name", node: node.name }, facts.docker, ({ alike }) => [
          alike.length === 0 ? "ok" : "ko",
          { alike: alike.join(", ") },
        ])
      : undefined,
  )(input, node);

/** deploy.sh rewrites every image line that it finds, and `up` would make every service anew. */
const composeFile: NodeCheck = (input, node) =>
  inContainer((facts, form) =>
    form === "docker-run"
      ? undefined
      : judge({ id: "compose-file", node: node.name }, facts.container, ({ compose }) => [
          compose?.services.length === 1 && compose.images.length === 1 ? "ok" : "ko",
          {
            file: compose?.file ?? "none",
            services: compose?.services.join(", ") || "none",
            images: compose?.images.join(", ") || "none",
          },
        ]),
  )(input, node);

const repeatable: NodeCheck = (input, node) =>
  inContainer((facts, form) =>
    form === "docker-run"
      ? judge({ id: "container-repeatable", node: node.name }, facts.container, ({ repeats }) => [
          repeats?.refused.length === 0 ? "ok" : "ko",
          { refused: repeats?.refused.join("; ") ?? "?" },
        ])
      : undefined,
  )(input, node);

/** Packed, unpacked, and something to breathe. */
const imageSpareBytes = 512 * 1024 ** 2;

const imageRoom: NodeCheck = (input, node) =>
  inContainer((facts) =>
    judge(
      { id: "image-room", node: node.name, yields: "override" },
      facts.docker,
      ({ root, availableBytes }) => {
        const wanted = (input.wish.artefact?.totalBytes ?? 1024 ** 3) * 3 + imageSpareBytes;
        const mebibytes = (bytes: number) => String(Math.floor(bytes / 1024 ** 2));
        const told = { root, freeMiB: mebibytes(availableBytes), wantedMiB: mebibytes(wanted) };
        return [availableBytes >= wanted ? "ok" : "ko", told];
      },
    ),
  )(input, node);

export const containerChecks: readonly NodeCheck[] = [
  docker,
  containerName,
  composeFile,
  repeatable,
  imageRoom,
];
