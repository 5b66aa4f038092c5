/** Checks of a node's host, and of what the way back needs there. */
import { known } from "#proto/common/measured.ts";
import { archiveLimitMs } from "./archive-steps.ts";
import { runningVersion } from "./facts.ts";
import { type NodeCheck, withFacts } from "./node-check.ts";
import { archiveStepTime } from "./outage.ts";
import { judge, result } from "./result.ts";
import { settingsOf } from "./settings.ts";

/** Nodes end themselves at 80 % of 500 ms. */
const clockKoMs = 400;
const clockWarnMs = 100;
/** Unpacked package, twice, and room for the log. */
const wantedFreeBytes = 2 * 1024 ** 3;

/** deploy.sh asks for it; a container of the operator's own is changed without that script. */
const sudo: NodeCheck = (input, { name }) =>
  withFacts(input, name, (facts) =>
    input.cluster.deployment === "compiled" ||
    (input.cluster.deployment === "container" && ["compose", "docker-run"].includes(known(facts.form) ?? ""))
      ? undefined
      : judge({ id: "sudo", node: name }, facts.sudo, (works) => [works ? "ok" : "ko"]),
  );

const foreign: NodeCheck = (input, { name }) =>
  withFacts(input, name, (facts) =>
    judge({ id: "foreign-installer", node: name }, facts.foreign, (found) => [
      found.length === 0 ? "ok" : "ko",
      { found: found.join(", ") },
    ]),
  );

const meddlers: NodeCheck = (input, { name }) =>
  withFacts(input, name, (facts) =>
    judge({ id: "meddlers", node: name, yields: "acknowledge" }, facts.meddlers, (found) => [
      found.length === 0 ? "ok" : "warn",
      { found: found.join(", ") },
    ]),
  );

const clock: NodeCheck = ({ clockOffsets }, { name }) => {
  const offset = clockOffsets[name];
  if (offset === undefined)
    return {
      ...result({ id: "clock", node: name }, "unknown"),
      reason: { code: "measure.never-taken", facts: {} },
    };
  const surelyMs = Math.max(0, Math.abs(offset.offsetMs) - offset.errorMs);
  const facts = { offsetMs: String(offset.offsetMs), errorMs: String(offset.errorMs) };
  // so slow an answer that the offset could be anything
  if (surelyMs < clockKoMs && offset.errorMs >= clockKoMs)
    return {
      ...result({ id: "clock", node: name, yields: "override" }, "unknown", facts),
      reason: { code: "measure.too-coarse", facts },
    };
  return result(
    { id: "clock", node: name, yields: "override" },
    surelyMs >= clockKoMs ? "ko" : surelyMs >= clockWarnMs ? "warn" : "ok",
    facts,
  );
};

const space: NodeCheck = ({ reports: all }, { name }) => {
  const report = all[name];
  if (report === undefined) return undefined;
  return judge({ id: "space", node: name, yields: "override" }, report.host.fileSystems, (found) => {
    const short = found.filter(
      ({ availableBytes, inodesAvailable, inodes }) =>
        availableBytes < wantedFreeBytes || (inodes > 0 && inodesAvailable < 10_000),
    );
    const told = (short.length > 0 ? short : found)
      .map(({ path, availableBytes }) => `${path} ${Math.floor(availableBytes / 1024 ** 2)} MiB`)
      .join(", ");
    return [
      short.length === 0 ? "ok" : "ko",
      { found: told, wantedMiB: String(wantedFreeBytes / 1024 ** 2) },
    ];
  });
};

/** After a failed package change the old package is the only way back: the script removes it before it installs. */
const oldPackage: NodeCheck = (input, { name }) =>
  withFacts(input, name, (facts) => {
    // the old image, or the old build, is kept by a step of the plan
    if (input.cluster.deployment !== "script") return undefined;
    const version = runningVersion(facts) ?? "?";
    const about = { id: "old-package", node: name, yields: "acknowledge" } as const;
    const settings = settingsOf(input.cluster);
    const isStaged = settings.ok && settings.value.oldPackage !== undefined;
    const kept = known(facts.keptPackages)?.some((each) => each.version === version) ?? false;
    return result(about, kept || isStaged ? "ok" : "unknown", { version });
  });

/** Only where the cluster's entry asks for it: an archive, and its unpacked copy beside it while it is proven. */
const dataArchive: NodeCheck = (input, { name }) => {
  const settings = settingsOf(input.cluster);
  if (!settings.ok || !settings.value.archiveData) return undefined;
  return withFacts(input, name, (facts) => {
    const about = { id: "data-archive", node: name } as const;
    if ("notApplicable" in facts.archive)
      return result(about, "ko", { folder: "none", freeMiB: "0", dataMiB: "?" });
    return judge(about, facts.archive, ({ folder, availableBytes, dataBytes }) => [
      availableBytes > 2 * dataBytes ? "ok" : "ko",
      { folder, freeMiB: mebibytes(availableBytes), dataMiB: mebibytes(dataBytes) },
    ]);
  });
};

/** A step that cannot end in time would be ended, and the node have been down for nothing. */
const archiveTime: NodeCheck = (input, { name }) => {
  const settings = settingsOf(input.cluster);
  if (!settings.ok || !settings.value.archiveData) return undefined;
  return withFacts(input, name, (facts) => {
    const about = { id: "archive-time", node: name, yields: "acknowledge" } as const;
    const time = archiveStepTime(facts);
    if ("unknown" in time) return { ...result(about, "unknown"), reason: time.unknown };
    const minutes = (ms: number) => String(Math.ceil(ms / 60_000));
    const told = { minutes: minutes(time.ms), limit: minutes(archiveLimitMs) };
    return result(about, time.ms <= archiveLimitMs ? "ok" : "ko", told);
  });
};

function mebibytes(bytes: number): string {
  return String(Math.floor(bytes / 1024 ** 2));
}

export const hostChecks: readonly NodeCheck[] = [
  sudo,
  clock,
  space,
  foreign,
  meddlers,
  oldPackage,
  dataArchive,
  archiveTime,
];
