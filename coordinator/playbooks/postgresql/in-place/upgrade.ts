/** An upgrade in place by `pg_upgrade`: what all its stages are made from. One server, one host, both versions on it. */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import { known, whyUnknown } from "#proto/common/measured.ts";
import type { PgInPlace } from "#proto/engines/postgresql.ts";
import type { PlaybookInput } from "../../../domain/playbook.ts";
import { fullOf } from "../facts.ts";
import { type Endpoint, endpointOf } from "../move.ts";
import { type PostgresqlClusterSettings, settingsOf } from "../settings.ts";

export const inPlaceMethod = "pg-upgrade";

export interface InPlace {
  readonly endpoint: Endpoint;
  readonly to: string;
  readonly place: PgInPlace;
  /** All that take connections: none stays behind. */
  readonly databases: readonly string[];
  readonly settings: PostgresqlClusterSettings;
}

export function isInPlace({ method, back }: PlaybookInput["wish"]): boolean {
  return (back?.plan.method ?? method) === inPlaceMethod;
}

/**
 * Refused: `postgresql.in-place-strategy`, `postgresql.in-place-into`, `postgresql.in-place-nodes`, `postgresql.server-unknown`,
 * `postgresql.in-place-not-set`, `postgresql.in-place-version`, `postgresql.databases-unknown`, `postgresql.setting-unreadable`.
 */
export function inPlaceOf(input: PlaybookInput): Outcome<InPlace> {
  const { cluster, wish, reports } = input;
  const facts = { cluster: cluster.name, to: wish.to };
  if (wish.strategy !== undefined && wish.strategy !== "offline")
    return fail("postgresql.in-place-strategy", { ...facts, strategy: wish.strategy });
  if (wish.into !== undefined) return fail("postgresql.in-place-into", { ...facts, into: wish.into });
  if (cluster.nodes.length !== 1)
    return fail("postgresql.in-place-nodes", { ...facts, nodes: String(cluster.nodes.length) });
  const settings = settingsOf(cluster);
  if (!settings.ok) return settings;
  const endpoint = endpointOf(input);
  if (!endpoint.ok) return endpoint;
  const full = fullOf(reports[endpoint.value.node]);
  const place = known(full?.inPlace);
  if (place === undefined) {
    const why = full?.inPlace === undefined ? undefined : whyUnknown(full.inPlace);
    return why === undefined ? fail("postgresql.in-place-not-set", facts) : { ok: false, failure: why };
  }
  if (String(place.newMajor) !== wish.to || place.newMajor <= Number(endpoint.value.major))
    return fail("postgresql.in-place-version", {
      ...facts,
      from: endpoint.value.major,
      found: String(place.newMajor),
    });
  const databases = known(full?.databases)?.map(({ name }) => name);
  if (databases === undefined) return fail("postgresql.databases-unknown", facts);
  return succeed({ endpoint: endpoint.value, to: wish.to, place, databases, settings: settings.value });
}
