/** Reports of PostgreSQL nodes, by the schema of their depth; what does not fit is not known. */
import { known } from "#proto/common/measured.ts";
import type { NodeReport } from "#proto/common/report.ts";
import {
  type PgServer,
  type PostgresqlFull,
  type PostgresqlGate,
  type PostgresqlPulse,
  postgresqlFullSchema,
  postgresqlGateSchema,
  postgresqlPulseSchema,
} from "#proto/engines/postgresql.ts";

export function fullOf(report: NodeReport | undefined): PostgresqlFull | undefined {
  return postgresqlFullSchema.safeParse(report?.facts).data;
}

export function gateOf(report: NodeReport | undefined): PostgresqlGate | undefined {
  return postgresqlGateSchema.safeParse(report?.facts).data;
}

export function pulseOf(report: NodeReport | undefined): PostgresqlPulse | undefined {
  return postgresqlPulseSchema.safeParse(report?.facts).data;
}

export function serverOf(report: NodeReport | undefined): PgServer | undefined {
  return known(pulseOf(report)?.server);
}

/** 10 for 100023, 18 for 180004. */
export function majorOf(versionNum: number): number {
  return Math.floor(versionNum / 10_000);
}
