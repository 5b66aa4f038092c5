/**
 * What a node is at, by its version file, its binary and the process that runs; never by what a script said. Facts of
 * the vendor's script: it removes the old packages, installs libcommon and the server, and copies the version file last.
 */
import { type Failure, failure } from "#proto/common/failure.ts";
import { known, type Measured, whyUnknown } from "#proto/common/measured.ts";
import type { KwdbFull } from "#proto/engines/kwdb.ts";
import { normalVersion, ownRow, runningVersion } from "./facts.ts";

/**
 * | state                | version file | binary   | process |
 * |----------------------|--------------|----------|---------|
 * | serving              | X            | X        | X       |
 * | stopped              | X            | X        | none    |
 * | under-the-process    | Y            | Y        | X       |
 * | packages-gone        | X            | none     | any     |
 * | version-file-behind  | X            | Y, newer | any     |
 * | version-file-ahead   | Y            | X, older | any     |
 * | no-version-file      | none         | any      | any     |
 */
export type EvidentState =
  | "serving"
  | "stopped"
  | "under-the-process"
  | "packages-gone"
  | "version-file-behind"
  | "version-file-ahead"
  | "no-version-file"
  | "unknown";

export interface Evidence {
  readonly state: EvidentState;
  /** As measured; `none` where there is none, `?` where it is not known. */
  readonly file: string;
  readonly binary: string;
  readonly running: string;
  /** Left-overs of an online upgrade. */
  readonly isMarkedUpgrading: boolean;
  readonly hasFlag: boolean;
}

type Told = Pick<KwdbFull, "versionFile" | "binary" | "running" | "unit" | "nodes" | "upgradeCompleteFlag">;

export function evidenceOf(facts: Told, address: string): Evidence {
  const file = found(facts.versionFile, ({ basic }) => basic, isNoFile);
  const binary = found(
    facts.binary,
    ({ version }) => version,
    ({ code }) => code === "kwdb.binary-missing",
  );
  const isDown = known(facts.unit)?.mainPid === 0;
  const running = isDown ? "none" : (runningVersion(facts) ?? "?");
  return {
    state: stateOf({ file, binary, running }),
    file,
    binary,
    running,
    isMarkedUpgrading: ownRow(known(facts.nodes) ?? [], address)?.upgrading === true,
    hasFlag: known(facts.upgradeCompleteFlag) === true,
  };
}

/** Neither as before a change nor as after it. */
export function isHalfWay({ state }: Evidence): boolean {
  return !["serving", "stopped", "unknown"].includes(state);
}

/** For people: what it is, and what is measured. */
export function evidenceText(node: string, { state, file, binary, running }: Evidence): Failure {
  return failure(`evidence.kwdb.${state}`, { node, file, binary, running });
}

function found<T>(
  measured: Measured<T>,
  version: (value: T) => string,
  isAbsent: (why: Failure) => boolean,
): string {
  const value = known(measured);
  if (value !== undefined) return normalVersion(version(value)) ?? "?";
  const why = whyUnknown(measured);
  return why !== undefined && isAbsent(why) ? "none" : "?";
}

function isNoFile({ code, facts }: Failure): boolean {
  return code === "file.unreadable" && facts["errno"] === "ENOENT";
}

function stateOf({ file, binary, running }: Pick<Evidence, "file" | "binary" | "running">): EvidentState {
  if (file === "?" || binary === "?") return "unknown";
  if (file === "none") return "no-version-file";
  if (binary === "none") return "packages-gone";
  if (file !== binary) return isOlder(file, binary) ? "version-file-behind" : "version-file-ahead";
  if (running === "?") return "unknown";
  if (running === "none") return "stopped";
  return running === file ? "serving" : "under-the-process";
}

function isOlder(left: string, right: string): boolean {
  return left.localeCompare(right, "en", { numeric: true }) < 0;
}
