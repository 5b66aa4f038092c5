/** The two sides of a move: the old cluster, whose input it is, and the new one; each speaks by its primary. */
import { known, type Measured } from "#proto/common/measured.ts";
import type { NodeReport } from "#proto/common/report.ts";
import type { PgDatabase, PgServer, PostgresqlFull } from "#proto/engines/postgresql.ts";
import type { NodeEntry } from "../../domain/inventory.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import { fullOf, majorOf, serverOf } from "./facts.ts";
import { settingsOf } from "./settings.ts";

export interface Side {
  readonly role: "source" | "target";
  /** Name of the cluster. */
  readonly cluster: string;
  readonly node: NodeEntry;
  readonly report: NodeReport;
  readonly server: PgServer;
  readonly facts: PostgresqlFull;
}

/** Databases that are never carried for their own sake: every server has them from the beginning. */
const everywhere: ReadonlySet<string> = new Set(["postgres"]);

/** The target, seen as an input of its own. */
export function targetOf({ into, wish, nowMs }: PlaybookInput): PlaybookInput | undefined {
  return into === undefined ? undefined : { ...into, wish, nowMs };
}

/** The same, unless it is the source by its name. */
export function otherCluster(input: PlaybookInput): PlaybookInput | undefined {
  const target = targetOf(input);
  return target?.cluster.name === input.cluster.name ? undefined : target;
}

/** Nodes that say of themselves that they are no standby. */
export function primariesOf({ cluster, reports }: PlaybookInput): readonly NodeEntry[] {
  return cluster.nodes.filter(({ name }) => serverOf(reports[name])?.isStandby === false);
}

export function sourceSide(input: PlaybookInput): Side | undefined {
  return sideOf("source", input);
}

export function targetSide(input: PlaybookInput): Side | undefined {
  const target = otherCluster(input);
  return target === undefined ? undefined : sideOf("target", target);
}

export function majorOn({ server }: Side): number {
  return majorOf(server.versionNum);
}

/** Absent where no primary is known, or more than one is. */
function sideOf(role: Side["role"], input: PlaybookInput): Side | undefined {
  const [node, ...others] = primariesOf(input);
  if (node === undefined || others.length > 0) return undefined;
  const report = input.reports[node.name];
  const [server, facts] = [serverOf(report), fullOf(report)];
  if (report === undefined || server === undefined || facts === undefined) return undefined;
  return { role, cluster: input.cluster.name, node, report, server, facts };
}

/** By name what is carried: as the settings list it, or all that take connections; `postgres` only where it is used. */
export function databasesOf(input: PlaybookInput): readonly string[] | undefined {
  const settings = settingsOf(input.cluster);
  if (!settings.ok) return undefined;
  const { databases: listed } = settings.value;
  if (listed !== undefined) return listed;
  const found = known(sourceSide(input)?.facts.databases);
  return found
    ?.filter((each) => !everywhere.has(each.name) || isUsed(each))
    .map(({ name }) => name)
    .sort();
}

/** Whether anything of a user's lies in it. */
export function isUsed({ userTables, largeObjects }: PgDatabase): boolean {
  return userTables + largeObjects > 0;
}

/** All that the source has, carried or not; undefined where that was not measured. */
export function databasesAt(input: PlaybookInput): readonly string[] | undefined {
  const facts = sourceSide(input)?.facts;
  const [open, closed] = [known(facts?.databases), known(facts?.closedDatabases)];
  return open && closed && [...open.map(({ name }) => name), ...closed].sort();
}

/** The facts of those databases; one that is listed and is not there is missing here too. */
export function carriedOf(input: PlaybookInput): readonly PgDatabase[] | undefined {
  const names = databasesOf(input);
  const found = known(sourceSide(input)?.facts.databases);
  return names === undefined ? undefined : found?.filter(({ name }) => names.includes(name));
}

/** The facts of these on one side, whichever it is; undefined where it does not tell its databases. */
export function databasesOn(
  input: PlaybookInput,
  names: readonly string[],
): readonly PgDatabase[] | undefined {
  return known(sourceSide(input)?.facts.databases)?.filter(({ name }) => names.includes(name));
}

/** Two measured values as one: known where both are. */
export function together<A, B>(one: Measured<A>, other: Measured<B>): Measured<readonly [A, B]> {
  if (!("value" in one)) return one;
  return "value" in other ? { at: other.at, value: [one.value, other.value] } : other;
}

/** A setting of the server by name, which a version that does not know it does not have. */
export function settingOn({ facts: { settings } }: Side, name: string): string | undefined {
  return known(settings)?.[name];
}
