/** Everything that must be right before a new server is made. What the move itself needs is asked by the move, once there is one. */
import { known } from "#proto/common/measured.ts";
import type { PgDatabase } from "#proto/engines/postgresql.ts";
import type { PgBirth, PgMade } from "#proto/engines/postgresql-made.ts";
import type { CheckResult } from "../../../domain/check.ts";
import type { PlaybookInput } from "../../../domain/playbook.ts";
import { fullOf } from "../facts.ts";
import { missingLibraries } from "../libraries.ts";
import { packagesOfPlace, promisedToMake } from "../packages/made.ts";
import { byDatabase, firstOf } from "../pair.ts";
import { judge, result } from "../result.ts";
import { settingsOf } from "../settings.ts";
import { onePrimary, reached } from "../side-checks.ts";
import { majorOn, otherCluster, type Side, settingOn, sourceSide } from "../sides.ts";
import { sourceVersion } from "../source-checks.ts";

interface Asked {
  readonly side: Side;
  readonly to: string;
  readonly place: PgMade;
}

type PlaceCheck = (asked: Asked) => CheckResult;

export function checkMaking(input: PlaybookInput): readonly CheckResult[] {
  return promisedToMake(input, allChecks(input));
}

/** As the hosts stand now. */
function allChecks(input: PlaybookInput): readonly CheckResult[] {
  const settings = settingsOf(input.cluster);
  if (!settings.ok)
    return [{ ...result({ id: "settings" }, "ko", settings.failure.facts), reason: settings.failure }];
  const side = sourceSide(input);
  return [
    ...target(input),
    ...reached(input),
    onePrimary("source", input),
    ...(side === undefined ? [] : [sourceVersion(side), superuser(side), birth(side)]),
    ...packagesOfPlace(input),
    ...(side === undefined ? [] : onPlace(input, side)),
  ];
}

function target(input: PlaybookInput): readonly CheckResult[] {
  const young = otherCluster(input);
  const facts = { cluster: input.cluster.name, into: input.wish.into ?? "", to: input.wish.to };
  if (young === undefined) return [result({ id: "target" }, "ko", facts)];
  const { nodes, name: cluster } = young.cluster;
  return [
    result({ id: "target" }, "ok", facts),
    result({ id: "make-nodes" }, nodes.length === 1 ? "ok" : "ko", { cluster, found: String(nodes.length) }),
    ...nodes.map(({ name }) => allowed(cluster, name, young)),
  ];
}

/** The new server's agent answers, and its own file names where one may be made. */
function allowed(cluster: string, node: string, { reports }: PlaybookInput): CheckResult {
  const about = { id: "make-allowed", node } as const;
  const facts = fullOf(reports[node]);
  if (facts === undefined)
    return { ...result(about, "unknown"), reason: { code: "node.no-report", facts: { node } } };
  if (facts.made === undefined) return result(about, "ko", { cluster });
  return judge(about, facts.made, ({ unit, data }) => ["ok", { unit: unit.name, data }]);
}

function superuser({ server, cluster }: Side): CheckResult {
  return result({ id: "source-superuser" }, server.isSuperuser ? "ok" : "ko", { cluster });
}

function birth({ facts, cluster }: Side): CheckResult {
  const about = { id: "make-birth" } as const;
  if (facts.birth === undefined) return result(about, "ko", { cluster });
  return judge(about, facts.birth, (found) => ["ok", { cluster, found: shown(found) }]);
}

function shown({ encoding, provider, locale, collate, hasChecksums }: PgBirth): string {
  return `${encoding}, ${provider} ${locale ?? collate}, checksums ${hasChecksums ? "on" : "off"}`;
}

function onPlace(input: PlaybookInput, side: Side): readonly CheckResult[] {
  const young = otherCluster(input);
  const place = known(fullOf(young?.reports[young.cluster.nodes[0]?.name ?? ""])?.made);
  return place === undefined ? [] : placeChecks.map((check) => check({ side, to: input.wish.to, place }));
}

const version: PlaceCheck = ({ side, to, place: { major, version: found } }) => {
  const isRight = String(major) === to && major > majorOn(side);
  return result({ id: "make-version" }, isRight ? "ok" : "ko", { from: String(majorOn(side)), found, to });
};

const folders: PlaceCheck = ({ place: { taken } }) =>
  result({ id: "make-folders" }, taken.length === 0 ? "ok" : "ko", { found: taken.join(", ") });

const unit: PlaceCheck = ({ place: { unit: found } }) => {
  const isRight = found.load === "loaded" && ["inactive", "failed"].includes(found.active);
  return result({ id: "make-unit" }, isRight ? "ok" : "ko", { ...found });
};

const port: PlaceCheck = ({ place: { port: number, portTakenBy } }) =>
  result({ id: "make-port" }, portTakenBy === null ? "ok" : "ko", {
    port: String(number),
    found: portTakenBy ?? "",
  });

const socket: PlaceCheck = ({ place: { whyNoSocket } }) =>
  result({ id: "make-socket" }, whyNoSocket === null ? "ok" : "ko", { why: whyNoSocket ?? "" });

const anyHost: ReadonlySet<string> = new Set(["", "*", "0.0.0.0", "::", "localhost", "127.0.0.1", "::1"]);

/** An address of the old host is none of the new one's. */
const listens: PlaceCheck = ({ side, place: { listen } }) =>
  judge({ id: "make-listen" }, side.facts.settings, () => {
    const found = settingOn(side, "listen_addresses") ?? "";
    const isCarried = found.split(",").every((each) => anyHost.has(each.trim()));
    return [listen !== null || isCarried ? "ok" : "ko", { found, listen: listen ?? found }];
  });

/** Those that every C library has. */
const everywhere: ReadonlySet<string> = new Set(["C", "POSIX", "C.utf8"]);

const locales: PlaceCheck = ({ side: { facts }, place }) =>
  judge({ id: "make-locales" }, facts.databases, (all) => {
    const there = new Set(place.locales.map(nameOfLocale));
    const template = known(facts.birth);
    const named = [...all, ...(template === undefined ? [] : [template])].flatMap(({ collate, ctype }) => [
      collate,
      ctype,
    ]);
    const missing = [...new Set(named.map(nameOfLocale))].filter(
      (each) => !everywhere.has(each) && !there.has(each),
    );
    return [missing.length === 0 ? "ok" : "ko", { found: firstOf(missing), first: missing[0] ?? "" }];
  });

function nameOfLocale(name: string): string {
  return name.replace(/\.utf-?8$/i, ".utf8");
}

const libraries: PlaceCheck = ({ side: { facts }, place, to }) =>
  judge({ id: "make-libraries" }, facts.settings, (all) => {
    const missing = missingLibraries(all, place.libraries);
    return [missing.length === 0 ? "ok" : "ko", { found: missing.join(", "), to }];
  });

const extensions: PlaceCheck = ({ side: { facts }, place, to }) =>
  judge({ id: "make-extensions" }, facts.databases, (all) => {
    const missing = (each: PgDatabase) =>
      each.extensions.map(({ name }) => name).filter((name) => !place.extensions.includes(name));
    const { found, count } = byDatabase(all, (each) => ({ names: missing(each) }));
    return [count === 0 ? "ok" : "ko", { found, to }];
  });

const tablespaces: PlaceCheck = ({ side: { facts }, place }) =>
  judge({ id: "make-tablespaces" }, facts.tablespaces, (all) => {
    const missing = all.filter((name) => !Object.hasOwn(place.tablespaces, name));
    return [missing.length === 0 ? "ok" : "ko", { found: firstOf(missing), first: missing[0] ?? "" }];
  });

/** Of what the databases take on the old server, as the move wants it. */
const copyTimes = 1.2;

const room: PlaceCheck = ({ side: { facts }, place: { availableBytes, data } }) =>
  judge({ id: "make-room", yields: "override" }, facts.databases, (all) => {
    const wanted = copyTimes * all.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    return [
      availableBytes >= wanted ? "ok" : "ko",
      { data, free: mebibytes(availableBytes), wanted: mebibytes(wanted) },
    ];
  });

function mebibytes(bytes: number): string {
  return String(Math.ceil(bytes / 1024 ** 2));
}

const placeChecks: readonly PlaceCheck[] = [
  version,
  folders,
  unit,
  port,
  socket,
  listens,
  locales,
  libraries,
  extensions,
  tablespaces,
  room,
];
