/** Reports of PostgreSQL nodes, by the schema of their depth; what does not fit is not known. */
import type { Failure } from "#proto/common/failure.ts";
import { known, whyUnknown } from "#proto/common/measured.ts";
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

/** Why nothing answers there, where that is because no server was made yet. */
export function notMadeOn(report: NodeReport | undefined): Failure | undefined {
  const why = whyUnknown(pulseOf(report)?.server);
  return why?.code === "postgresql.not-made-yet" ? why : undefined;
}

/** 10 for 100023, 18 for 180004. */
export function majorOf(versionNum: number): number {
  return Math.floor(versionNum / 10_000);
}
