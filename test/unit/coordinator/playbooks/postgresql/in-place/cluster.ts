/** One PostgreSQL 17 whose agent allows an upgrade to 18 in place, and ways to make it less fit. */
import type { PlaybookInput } from "#coordinator/domain/playbook.ts";
import type { PgInPlace } from "#proto/engines/postgresql.ts";
import { type Changed, inputOf, is, type Sides } from "../pair.ts";

export const systemId = "1";

export const place: PgInPlace = {
  version: "17.6",
  newVersion: "18.1",
  newMajor: 18,
  data: "/data",
  newData: "/data18",
  unit: { name: "postgresql@17-main", load: "loaded", active: "active" },
  newUnit: { name: "postgresql@18-main", load: "loaded", active: "inactive" },
  taken: [],
  availableBytes: 10 * 1024 ** 3,
  isOneFileSystem: true,
  walFolder: null,
  whyAccountNotIn: null,
  extensions: ["plpgsql", "hstore"],
  libraries: ["pg_stat_statements"],
};

/** The one server, changed. */
export function source(changed: Changed): Sides {
  return { source: changed };
}

export function inPlaceInput(
  { source = {}, ...sides }: Sides = {},
  changed: Partial<PgInPlace> = {},
): PlaybookInput {
  const server = { version: "17.6 (Debian 17.6-1)", versionNum: 170_006, systemId, ...source.server };
  const facts = { inPlace: is({ ...place, ...changed }), ...source.facts };
  const input = inputOf({ into: false, ...sides, source: { ...source, server, facts } });
  return { ...input, wish: { ...input.wish, method: "pg-upgrade" } };
}
