/**
 * Everything that must be right before databases are moved to a newer server by logical replication. Each check is a small
 * function; this file is their list. What hangs on facts that are not known is not asked: that they are not known blocks.
 */
import type { CheckResult } from "../../domain/check.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import { capacityChecks } from "./capacity-checks.ts";
import { pglogicalMethod } from "./movers.ts";
import { newServerChecks } from "./new-server-checks.ts";
import { objectChecks } from "./object-checks.ts";
import { packagesOfTarget, promised } from "./packages/moved.ts";
import type { Pair, SideCheck } from "./pair.ts";
import { otherServer, pairChecks, toolsOf, versionsFit } from "./pair-checks.ts";
import { patroniChecks } from "./patroni-checks.ts";
import { pglogicalPairChecks, pglogicalRooms, pglogicalSideChecks } from "./pglogical-checks.ts";
import { offered } from "./restart-settings.ts";
import { result } from "./result.ts";
import { roomChecks } from "./room-checks.ts";
import { type PostgresqlClusterSettings, settingsOf } from "./settings.ts";
import { onePrimary, reached, sideChecks } from "./side-checks.ts";
import { carriedOf, otherCluster, type Side, sourceSide, targetSide } from "./sides.ts";
import {
  closedDatabases,
  databasesKnown,
  databasesLeft,
  sourceChecks,
  sourceVersion,
} from "./source-checks.ts";
import { targetChecks } from "./target-checks.ts";
import { carriedWithin, unreplicatedResults } from "./unreplicated.ts";

export function checkMove(input: PlaybookInput): readonly CheckResult[] {
  return promised(input, offered(input, allChecks(input)));
}

/** As the servers stand now, whatever the plan would make of it. */
export function allChecks(input: PlaybookInput): readonly CheckResult[] {
  const settings = settingsOf(input.cluster);
  if (!settings.ok)
    return [{ ...result({ id: "settings" }, "ko", settings.failure.facts), reason: settings.failure }];
  const [source, target] = [sourceSide(input), targetSide(input)];
  return [
    ...targetNamed(input),
    ...reached(input),
    onePrimary("source", input),
    ...sidesFit(input, source, target),
    ...(source === undefined ? [] : checkSource(input, settings.value, source)),
    ...(target === undefined ? [] : sideChecksOf(input).flatMap((check) => check(target) ?? [])),
    ...packagesOfTarget(input),
    ...(source === undefined || target === undefined
      ? []
      : checkPair(input, settings.value, { source, target })),
  ];
}

function targetNamed(input: PlaybookInput): readonly CheckResult[] {
  const target = otherCluster(input);
  const { into = "", to } = input.wish;
  const facts = { cluster: input.cluster.name, into, to };
  if (target === undefined)
    return [result({ id: "target" }, "ko", into === "" ? { cluster: input.cluster.name, to } : facts)];
  return [result({ id: "target" }, "ok", facts), ...reached(target), onePrimary("target", target)];
}

function sidesFit(
  { wish }: PlaybookInput,
  source: Side | undefined,
  target: Side | undefined,
): readonly CheckResult[] {
  const ofSource = source === undefined ? [] : [sourceVersion(source)];
  if (source === undefined || target === undefined) return ofSource;
  const sides = { source, target };
  return [...ofSource, otherServer(sides), ...versionsFit(sides, wish.to), ...toolsOf(sides)];
}

function checkSource(
  input: PlaybookInput,
  settings: PostgresqlClusterSettings,
  source: Side,
): readonly CheckResult[] {
  const databases = carriedOf(input);
  const inDatabases =
    databases === undefined
      ? []
      : [
          ...[...sourceChecks, ...objectChecks].map((check) => check({ input, settings, source, databases })),
          ...unreplicatedResults(databases, carriedWithin(databases, settings.carryLimitBytes)),
        ];
  return [
    ...sideChecksOf(input).flatMap((check) => check(source) ?? []),
    ...patroniChecks(input, source),
    databasesKnown(input, source),
    closedDatabases(source),
    databasesLeft(input, settings, source),
    ...inDatabases,
  ];
}

function checkPair(
  input: PlaybookInput,
  settings: PostgresqlClusterSettings,
  sides: Pick<Pair, "source" | "target">,
): readonly CheckResult[] {
  const databases = carriedOf(input);
  if (databases === undefined) return [];
  const pair = { input, settings, databases, ...sides };
  const ofMover = isThroughPglogical(input) ? [...pglogicalPairChecks, ...pglogicalRooms] : capacityChecks;
  return [...pairChecks, ...newServerChecks, ...targetChecks, ...ofMover, ...roomChecks].map((check) =>
    check(pair),
  );
}

function isThroughPglogical({ wish }: PlaybookInput): boolean {
  return wish.method === pglogicalMethod;
}

function sideChecksOf(input: PlaybookInput): readonly SideCheck[] {
  return isThroughPglogical(input) ? [...sideChecks, ...pglogicalSideChecks] : sideChecks;
}
