/** Checks of a node that was compiled from source; nothing is asked of the others. */
import type { Measured } from "#proto/common/measured.ts";
import type { KwdbBuild, KwdbStart } from "#proto/engines/kwdb.ts";
import { type NodeCheck, withFacts } from "./node-check.ts";
import { judge } from "./result.ts";

/** Unpacked, and something to breathe. */
const spareBytes = 256 * 1024 ** 2;

interface Asked {
  readonly build: Measured<KwdbBuild> | undefined;
  readonly start: Measured<KwdbStart> | undefined;
  readonly node: string;
}

function ofProgram(
  check: (asked: Asked, input: Parameters<NodeCheck>[0]) => ReturnType<NodeCheck>,
): NodeCheck {
  return (input, { name }) =>
    input.cluster.deployment === "compiled"
      ? withFacts(input, name, ({ build, start }) => check({ build, start, node: name }, input))
      : undefined;
}

/** Its name is changed: a link or a mount point has none to change, and what else is in it would go aside with it. */
const programFolder = ofProgram(({ build, node }) =>
  judge({ id: "program-folder", node }, build, ({ folder, kind, foreign }) => [
    kind === "folder" && foreign.length === 0 ? "ok" : "ko",
    { folder, kind, foreign: foreign.join(", ") || "nothing else" },
  ]),
);

const programStart = ofProgram(({ start, node }) =>
  judge({ id: "program-start", node }, start, ({ executable, binary, unit }) => [
    executable === binary ? "ok" : "ko",
    { executable: executable ?? "nothing", binary, unit: unit ?? "none" },
  ]),
);

const programLibraries = ofProgram(({ build, node }) =>
  judge({ id: "program-libraries", node }, build, ({ missingLibraries }) => [
    missingLibraries.length === 0 ? "ok" : "ko",
    { missing: missingLibraries.slice(0, 5).join(", ") },
  ]),
);

const programRoom = ofProgram(({ build, node }) =>
  judge({ id: "program-room", node }, build, ({ folder, bytes, availableBytes }) => {
    const wanted = 2 * bytes + spareBytes;
    const mebibytes = (count: number) => String(Math.floor(count / 1024 ** 2));
    return [
      availableBytes >= wanted ? "ok" : "ko",
      { folder, freeMiB: mebibytes(availableBytes), wantedMiB: mebibytes(wanted) },
    ];
  }),
);

export const compiledChecks: readonly NodeCheck[] = [
  programFolder,
  programStart,
  programLibraries,
  programRoom,
];
