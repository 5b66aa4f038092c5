/** `pg_upgrade`: its command line, and what it says where it refuses. */
import type { Mode } from "./note.ts";
import { configWords, type Place } from "./place.ts";

export interface UpgradeWords {
  readonly mode: Mode;
  readonly jobs: number;
  readonly owner: string;
  readonly newMajor: number;
  /** Only looks. With the port of the old server, where that one serves meanwhile. */
  readonly check?: { readonly livePort?: number };
}

/** Of a server that `pg_upgrade --check` starts beside one that serves. */
const asidePort = 50_432;

export function upgradeArgv(place: Place, words: UpgradeWords): readonly [string, ...string[]] {
  const { old, new: young, work } = place;
  const { mode, jobs, owner, newMajor, check } = words;
  const live = check?.livePort;
  // what is started for the upgrade itself has nothing to keep for a restore of the new server
  const newOptions = [configWords(young), "-c archive_mode=off"].filter((each) => each !== "").join(" ");
  return [
    `${young.bin}/pg_upgrade`,
    ...[`--old-bindir=${old.bin}`, `--new-bindir=${young.bin}`],
    ...[`--old-datadir=${old.data}`, `--new-datadir=${young.data}`],
    ...[`--username=${owner}`, `--jobs=${jobs}`],
    ...(mode === "copy" && newMajor < 16 ? [] : [`--${mode}`]),
    ...(configWords(old) === "" ? [] : [`--old-options=${configWords(old)}`]),
    `--new-options=${newOptions}`,
    ...(live === undefined
      ? [`--socketdir=${work}`]
      : [`--old-port=${live}`, `--new-port=${live === asidePort ? asidePort + 1 : asidePort}`]),
    ...(check === undefined ? [] : ["--check"]),
  ];
}

export interface Refusal {
  /** The tool's own words, as one line. */
  readonly words: string;
  /** Files in which it lists what it found. */
  readonly files: readonly string[];
}

const shown = 1_000;

/** From the last check that was not passed to the end; else the last lines. */
export function refusalIn(tail: string): Refusal {
  const lines = tail.replaceAll("\r", "\n").split("\n");
  const at = lines.findLastIndex((line) => /\s(fatal|warning)$/.test(line.trimEnd()));
  const told = (at === -1 ? lines.slice(-8) : lines.slice(at)).map((line) => line.trim());
  const words = told.filter((line) => line !== "" && !/^\*?failure\*?, exiting$/i.test(line)).join(" ");
  return {
    words: words.replaceAll(/\s+/g, " ").slice(0, shown),
    files: told.filter((line) => /^\/\S+\.(txt|log)$/.test(line)),
  };
}
