/** What a check of an upgrade in place is asked with. */
import type { PgDatabase, PgInPlace } from "#proto/engines/postgresql.ts";
import type { CheckResult } from "../../../domain/check.ts";
import type { PostgresqlClusterSettings } from "../settings.ts";
import type { Side } from "../sides.ts";

export interface Asked {
  readonly side: Side;
  readonly settings: PostgresqlClusterSettings;
  /** The wished major version, as typed. */
  readonly to: string;
}

export type ServerCheck = (asked: Asked) => CheckResult;
export type PlaceCheck = (
  asked: Asked & { readonly place: PgInPlace; readonly databases: readonly PgDatabase[] },
) => CheckResult;
