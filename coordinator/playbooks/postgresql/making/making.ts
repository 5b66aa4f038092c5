/** A new server that is made for a move: what all its stages are made from. The old server serves on, and is only asked. */
import { type Failure, fail, type Outcome, succeed } from "#proto/common/failure.ts";
import { known, type Measured, whyUnknown } from "#proto/common/measured.ts";
import type { PgBirth, PgMade } from "#proto/engines/postgresql-made.ts";
import type { PlaybookInput } from "../../../domain/playbook.ts";
import { fullOf } from "../facts.ts";
import { type Endpoint, endpointOf } from "../move.ts";
import { settingsOf } from "../settings.ts";
import { otherCluster } from "../sides.ts";
import { wantedSettings } from "./wanted-settings.ts";

export const makingMethod = "make-server";

export interface Making {
  readonly source: Endpoint;
  /** It has no identifier yet. */
  readonly target: Pick<Endpoint, "input" | "node">;
  readonly to: string;
  readonly place: PgMade;
  readonly birth: PgBirth;
  /** Names of the old server's. */
  readonly tablespaces: readonly string[];
  /** By name: what a move needs that only a start brings into force. */
  readonly settings: Readonly<Record<string, string>>;
}

export function isMaking({ method, back }: PlaybookInput["wish"]): boolean {
  return (back?.plan.method ?? method) === makingMethod;
}

/**
 * Refused: `postgresql.make-strategy`, `postgresql.make-without-target`, `postgresql.make-nodes`, `postgresql.make-not-set`,
 * `postgresql.make-version`, `postgresql.server-unknown`, `postgresql.setting-unreadable`, or why a fact is not known.
 */
export function makingOf(input: PlaybookInput): Outcome<Making> {
  const { cluster, wish } = input;
  const facts = { cluster: cluster.name, to: wish.to };
  if (wish.strategy !== undefined && wish.strategy !== "move")
    return fail("postgresql.make-strategy", { ...facts, strategy: wish.strategy });
  const young = otherCluster(input);
  if (young === undefined) return fail("postgresql.make-without-target", facts);
  const [node, ...others] = young.cluster.nodes;
  const into = young.cluster.name;
  if (node === undefined || others.length > 0)
    return fail("postgresql.make-nodes", { into, nodes: String(young.cluster.nodes.length) });
  const settings = settingsOf(cluster);
  if (!settings.ok) return settings;
  const source = endpointOf(input);
  if (!source.ok) return source;
  const full = fullOf(input.reports[source.value.node]);
  const place = value(fullOf(young.reports[node.name])?.made, failed("postgresql.make-not-set", { into }));
  if (!place.ok) return place;
  if (String(place.value.major) !== wish.to || place.value.major <= Number(source.value.major))
    return fail("postgresql.make-version", {
      ...facts,
      from: source.value.major,
      found: String(place.value.major),
    });
  const unknown = failed("postgresql.server-unknown", facts);
  const [birth, spaces] = [value(full?.birth, unknown), value(full?.tablespaces, unknown)];
  if (!birth.ok) return birth;
  if (!spaces.ok) return spaces;
  const needed = value(wantedSettings(input, settings.value, wish.to), unknown);
  if (!needed.ok) return needed;
  return succeed({
    source: source.value,
    target: { input: young, node: node.name },
    to: wish.to,
    place: place.value,
    birth: birth.value,
    tablespaces: spaces.value,
    settings: needed.value,
  });
}

const failed = (code: Failure["code"], facts: Failure["facts"]): Failure => ({ code, facts });

/** Why it is not known, where it was asked for; the other word where nobody has told it. */
function value<T>(found: Measured<T> | undefined, otherwise: Failure): Outcome<T> {
  const is = known(found);
  if (is !== undefined) return succeed(is);
  return { ok: false, failure: (found === undefined ? undefined : whyUnknown(found)) ?? otherwise };
}
