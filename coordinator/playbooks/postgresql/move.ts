/** A move of databases from a source to a target by logical replication: what all its stages are made from. */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { ClusterStage, GateSpec, Phase, PlanProgram, PlanStep } from "../../domain/plan.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import { majorOf, notMadeOn, serverOf } from "./facts.ts";
import type { Mover } from "./mover.ts";
import { moveMethod, moverOf } from "./movers.ts";
import { wantedOf } from "./new-server.ts";
import { type PostgresqlClusterSettings, settingsOf } from "./settings.ts";
import { carriedOf, databasesAt, databasesOf, primariesOf, sourceSide, targetOf } from "./sides.ts";
import { type Carried, carriedWithin } from "./unreplicated.ts";

/** One server as plans name it, with what it is known again by; how it was measured is its side (sides.ts). */
export interface Endpoint {
  readonly input: PlaybookInput;
  readonly node: string;
  /** As the other end reaches it: host:port. */
  readonly address: string;
  readonly systemId: string;
  readonly version: string;
  readonly major: string;
}

export interface Move {
  readonly source: Endpoint;
  readonly target: Endpoint;
  readonly databases: readonly string[];
  /** All that the source has, those that stay behind too. */
  readonly there: readonly string[];
  readonly settings: PostgresqlClusterSettings;
  readonly mover: Mover;
  /** Of what replication does not carry. */
  readonly carried: Carried;
}

/**
 * Refused: `postgresql.move-strategy`, `postgresql.move-without-target`, `postgresql.one-server`, `postgresql.server-unknown`,
 * `postgresql.target-version`, `postgresql.databases-unknown`, `postgresql.setting-unreadable`.
 */
export function moveOf(input: PlaybookInput): Outcome<Move> {
  const { cluster, wish } = input;
  const facts = { cluster: cluster.name, to: wish.to };
  const { method = moveMethod, strategy = "move" } = wish;
  const mover = moverOf(method);
  if (mover === undefined || strategy !== "move")
    return fail("postgresql.move-strategy", { ...facts, method, strategy });
  const young = targetOf(input);
  if (young === undefined || young.cluster.name === cluster.name)
    return fail("postgresql.move-without-target", facts);
  const settings = settingsOf(cluster);
  if (!settings.ok) return settings;
  const [source, target] = [endpointOf(input), endpointOf(young)];
  if (!source.ok) return source;
  if (!target.ok) return target;
  if (target.value.major !== wish.to)
    return fail("postgresql.target-version", {
      ...facts,
      into: young.cluster.name,
      found: target.value.major,
    });
  const [databases, there] = [databasesOf(input), databasesAt(input)];
  if (databases === undefined || there === undefined) return fail("postgresql.databases-unknown", facts);
  if (databases.length === 0) return fail("postgresql.no-databases", facts);
  return succeed({
    source: source.value,
    target: target.value,
    databases,
    there,
    settings: settings.value,
    mover,
    carried: carriedWithin(carriedOf(input) ?? [], settings.value.carryLimitBytes),
  });
}

export function endpointOf(input: PlaybookInput): Outcome<Endpoint> {
  const { cluster, reports } = input;
  const [primary, ...others] = primariesOf(input);
  const first = others.length === 0 && primary !== undefined ? primary : cluster.nodes[0];
  const server = serverOf(reports[first?.name ?? ""]);
  const notMade = notMadeOn(reports[first?.name ?? ""]);
  if (notMade !== undefined) return { ok: false, failure: notMade };
  if (first === undefined || server === undefined)
    return fail("postgresql.server-unknown", { cluster: cluster.name });
  return succeed({
    input,
    node: first.name,
    address: /:\d+$/.test(first.address) ? first.address : `${first.address}:5432`,
    systemId: server.systemId,
    version: server.version,
    major: String(majorOf(server.versionNum)),
  });
}

/** Nodes of its cluster beside it. */
export function othersOf({ input, node }: Endpoint): readonly string[] {
  return input.cluster.nodes.map(({ name }) => name).filter((name) => name !== node);
}

export function on(
  { input, node }: Pick<Endpoint, "input" | "node">,
  ...steps: readonly PlanStep[]
): PlanProgram {
  return { cluster: input.cluster.name, node, steps };
}

export function phase(
  id: string,
  programs: readonly PlanProgram[],
  more: Partial<Pick<Phase, "after" | "makesPermanent">> = {},
): Phase {
  return { id, order: "parallel", programs, after: [], ...more };
}

type Limits = Partial<Pick<GateSpec, "everyMs" | "dwellMs" | "limitMs">>;
/** Under the locks of both clusters, while both servers serve. */
export function stage(
  { source, target }: Move,
  id: string,
  phases: ClusterStage["phases"],
  limits: Parameters<typeof gate>[3] = {},
): ClusterStage {
  return {
    kind: "cluster",
    id,
    clusters: [source.input.cluster.name, target.input.cluster.name].sort(),
    before: [gate("serves", source, {}, limits), gate("serves", target, {}, limits)],
    phases,
    waysOnFailure: ["way.postgresql.again", "way.postgresql.back"],
  };
}

export function gate(
  name: string,
  { input, node }: Pick<Endpoint, "input" | "node">,
  args: Readonly<Record<string, string>>,
  limits: Limits = {},
): GateSpec {
  const { cluster } = input;
  // a standby beside it has neither the slots nor the word on who may write
  const ofOne = cluster.nodes.length > 1 ? { ...args, node } : args;
  return { gate: `postgresql.${name}`, cluster: cluster.name, args: ofOne, ...cluster.gates, ...limits };
}

/** What the inventory asks of the new server, or else what the old one has. */
export function newServerReady({ source, target, settings }: Move, limits: Limits): GateSpec {
  const wanted = wantedOf(sourceSide(source.input)?.facts, settings);
  return gate("new-server-ready", target, wanted, limits);
}

export const list = (names: readonly string[]): string => JSON.stringify(names);

export function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(":")).replace(/^\[|\]$/g, "");
}

/** The servers themselves: before anything is begun under a new lock. */
export function proveServer({ systemId, major }: Endpoint): PlanStep {
  return {
    id: "prove-server",
    call: { verb: "postgresql.prove-server", args: { systemId, version: major } },
    class: "observe",
    deadlineMs: 60_000,
    onDeadline: "end",
    mayStopAfter: true,
    shownAs: `pg_control_system() says ${systemId}, pg_is_in_recovery() says no, server_version ${major}`,
  };
}
