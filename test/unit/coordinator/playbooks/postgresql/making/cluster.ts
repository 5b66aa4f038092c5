/** A PostgreSQL 15 and a host on which an 18 may be made, and ways to make them less fit. */
import type { PlaybookInput } from "#coordinator/domain/playbook.ts";
import { failure } from "#proto/common/failure.ts";
import type { PgBirth, PgMade } from "#proto/engines/postgresql-made.ts";
import { at, type Changed, inputOf, is, type Sides } from "../pair.ts";

export const birth: PgBirth = {
  owner: "admin",
  encoding: "LATIN1",
  collate: "en_US",
  ctype: "en_US",
  provider: "libc",
  locale: null,
  icuRules: null,
  hasChecksums: true,
  walSegmentBytes: 16_777_216,
  isGroupReadable: false,
};

export const place: PgMade = {
  isToCome: false,
  version: "18.1",
  major: 18,
  data: "/data18",
  config: "/etc/18",
  unit: { name: "postgresql@18-main", load: "loaded", active: "inactive" },
  whyNoSocket: null,
  port: 5432,
  portTakenBy: null,
  listen: null,
  tablespaces: { fast: "/srv/fast" },
  taken: [],
  availableBytes: 10 * 1024 ** 3,
  locales: ["C", "C.utf8", "en_US", "en_US.utf8", "POSIX"],
  extensions: ["plpgsql", "hstore"],
  libraries: ["pg_stat_statements"],
};

export const notMade = { at, unknown: failure("postgresql.not-made-yet", { data: place.data }) };

/** The old server, changed. */
export function source(changed: Changed): Sides {
  return { source: changed };
}

export function makingInput(
  { source = {}, target = {}, ...sides }: Sides = {},
  changed: Partial<PgMade> = {},
): PlaybookInput {
  return inputOf({
    method: "make-server",
    ...sides,
    source: { ...source, facts: { birth: is(birth), ...source.facts } },
    target: {
      ...target,
      facts: { server: notMade, databases: notMade, made: is({ ...place, ...changed }), ...target.facts },
    },
  });
}
