/** How far a move is: a line for each database, what keeps it from following, and the log that is kept for it. */
import { render } from "#proto/catalogue/render.ts";
import { renderDuration } from "#proto/common/duration.ts";
import type { Failure } from "#proto/common/failure.ts";
import {
  type FollowedDatabase,
  type FollowingView,
  isFullSoon,
  type KeptLog,
} from "../../domain/following.ts";
import type { Paint } from "./style.ts";
import { renderTable } from "./table.ts";

const tones: Readonly<Record<FollowedDatabase["standing"], Parameters<Paint>[0]>> = {
  initializing: "strong",
  replicating: "good",
  down: "bad",
};

export function followingLines({ databases, kept, unknown }: FollowingView, paint: Paint): readonly string[] {
  return [
    ...(databases.length === 0
      ? []
      : indented(
          renderTable(
            header,
            databases.map((each) => row(each, paint)),
          ),
        )),
    ...databases.flatMap(({ database, why }) => causeLines(database, why, paint)),
    ...kept.flatMap((each) => keptLines(each, paint)),
    ...unknown.map((node) => paint("warn", `  ${node} has not told how it stands`)),
  ];
}

const header = ["DATABASE", "ON", "STANDING", "TABLES", "COPIED", "BEHIND"];

function row(
  { database, node, standing, readyTables, tables, copiedBytes, lagBytes }: FollowedDatabase,
  paint: Paint,
): readonly string[] {
  return [
    database,
    node,
    paint(tones[standing], standing),
    `${readyTables}/${tables}`,
    bytesAsWords(copiedBytes),
    lagBytes === undefined ? "?" : bytesAsWords(lagBytes),
  ];
}

function causeLines(database: string, why: Failure | undefined, paint: Paint): readonly string[] {
  if (why === undefined) return [];
  const { says, next } = render(why);
  return [`  ${database}: ${paint("bad", says)}`, ...(next === undefined ? [] : [`    next: ${next}`])];
}

function keptLines({ node, bytes, disk, lost }: KeptLog, paint: Paint): readonly string[] {
  const kept = bytes === undefined ? "WAL kept: ?" : `WAL kept: ${bytesAsWords(bytes)}`;
  return [
    `  ${node}  ${kept}; ${disk === undefined ? "its disk: ?" : diskAsWords(disk, bytes)}`,
    ...lost.flatMap((each) => causeLines(node, each, paint)),
  ];
}

function diskAsWords(
  { usedPercent, freeBytes, bytesPerS, fullInMs }: NonNullable<KeptLog["disk"]>,
  kept: number | undefined,
): string {
  const room = `its disk is ${usedPercent} % full, ${bytesAsWords(freeBytes)} free`;
  if (bytesPerS === undefined || fullInMs === undefined || !isFullSoon(fullInMs, freeBytes, kept))
    return room;
  return `${room}; full in ${renderDuration(fullInMs)} at ${bytesAsWords(bytesPerS)} per second, if nothing more is confirmed`;
}

const units = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** 0 B, 512 B, 1.5 MiB, 20 GiB: two digits are enough to see where it goes. */
export function bytesAsWords(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  return `${value < 10 && power > 0 ? value.toFixed(1) : Math.floor(value)} ${units[power]}`;
}

function indented(text: string): readonly string[] {
  return text.split("\n").map((line) => `  ${line}`);
}
