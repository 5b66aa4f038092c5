/** Checks of both versions on the host: programs, folders, units, room, and what extensions need of the new ones. */
import { known } from "#proto/common/measured.ts";
import type { PgDatabase } from "#proto/engines/postgresql.ts";
import type { CheckResult } from "../../../domain/check.ts";
import { missingLibraries } from "../libraries.ts";
import { byDatabase } from "../pair.ts";
import { judge, result } from "../result.ts";
import { majorOn } from "../sides.ts";
import type { Asked, PlaceCheck } from "./asked.ts";

/** Of what the databases take: copied files, and WAL of their catalogues. */
const copyTimes = 1.1;
const roomForLinks = 512 * 1024 ** 2;

/** The agent's own file names both; without it no message can. */
export function placeOf({ side: { facts, cluster } }: Asked): CheckResult {
  if (facts.inPlace === undefined) return result({ id: "in-place-allowed" }, "ko", { cluster });
  return judge({ id: "in-place-allowed" }, facts.inPlace, ({ newUnit }) => ["ok", { unit: newUnit.name }]);
}

export function placeChecks(asked: Asked): readonly CheckResult[] {
  const place = known(asked.side.facts.inPlace);
  const databases = known(asked.side.facts.databases);
  if (place === undefined || databases === undefined) return [];
  return checks.map((check) => check({ ...asked, place, databases }));
}

const version: PlaceCheck = ({ side, to, place: { newMajor, newVersion } }) => {
  const isRight = String(newMajor) === to && newMajor > majorOn(side);
  return result({ id: "in-place-version" }, isRight ? "ok" : "ko", {
    from: String(majorOn(side)),
    found: newVersion,
    to,
  });
};

/** The programs on disk may have been changed under the server that runs. */
const programs: PlaceCheck = ({ side, place }) =>
  result({ id: "in-place-programs" }, place.version === side.server.version.split(" ")[0] ? "ok" : "warn", {
    disk: place.version,
    runs: side.server.version,
  });

const folder: PlaceCheck = ({ side: { server }, place: { data } }) =>
  result({ id: "in-place-folder" }, server.dataDirectory === data ? "ok" : "ko", {
    found: server.dataDirectory,
    data,
  });

const units: PlaceCheck = ({ place: { unit, newUnit } }) => {
  const wrong = [
    ...(unit.active === "active"
      ? []
      : [`${unit.name} is ${unit.active}, so something else runs the server`]),
    ...(["loaded", "masked"].includes(newUnit.load) ? [] : [`${newUnit.name} is ${newUnit.load}`]),
    ...(["inactive", "failed"].includes(newUnit.active) ? [] : [`${newUnit.name} is ${newUnit.active}`]),
  ];
  return result({ id: "in-place-units" }, wrong.length === 0 ? "ok" : "ko", { found: wrong.join("; ") });
};

const taken: PlaceCheck = ({ place }) =>
  result({ id: "in-place-new-folder" }, place.taken.length === 0 ? "ok" : "ko", {
    found: place.taken.join(", "),
  });

const account: PlaceCheck = ({ place: { whyAccountNotIn } }) =>
  result({ id: "in-place-account" }, whyAccountNotIn === null ? "ok" : "ko", {
    cause: whyAccountNotIn ?? "",
  });

const extensions: PlaceCheck = ({ place, databases, to }) => {
  const missing = (all: PgDatabase) =>
    all.extensions.map(({ name }) => name).filter((name) => !place.extensions.includes(name));
  const { found, count } = byDatabase(databases, (each) => ({ names: missing(each) }));
  return result({ id: "in-place-extensions" }, count === 0 ? "ok" : "ko", { found, to });
};

const libraries: PlaceCheck = ({ side: { facts }, place, to }) =>
  judge({ id: "in-place-libraries" }, facts.settings, (all) => {
    const missing = missingLibraries(all, place.libraries);
    return [missing.length === 0 ? "ok" : "ko", { found: missing.join(", "), to }];
  });

const fileSystem: PlaceCheck = ({ settings: { upgradeMode: mode }, place }) =>
  result({ id: "in-place-file-system" }, mode === "copy" || place.isOneFileSystem ? "ok" : "ko", {
    mode,
    data: place.data,
    newData: place.newData,
  });

const room: PlaceCheck = ({ settings: { upgradeMode: mode }, place, databases }) => {
  const bytes = databases.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const wanted = mode === "copy" ? bytes * copyTimes + roomForLinks : roomForLinks;
  return result({ id: "in-place-room", yields: "override" }, place.availableBytes >= wanted ? "ok" : "ko", {
    free: mebibytes(place.availableBytes),
    wanted: mebibytes(wanted),
    newData: place.newData,
    mode,
  });
};

const wal: PlaceCheck = ({ place: { walFolder, newData } }) =>
  result({ id: "in-place-wal-folder", yields: "acknowledge" }, walFolder === null ? "ok" : "unknown", {
    found: walFolder ?? "",
    newData,
  });

const checks: readonly PlaceCheck[] = [
  version,
  programs,
  folder,
  units,
  taken,
  account,
  extensions,
  libraries,
  fileSystem,
  room,
  wal,
];

function mebibytes(bytes: number): string {
  return String(Math.ceil(bytes / 1024 ** 2));
}
