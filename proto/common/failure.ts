/**
 * Failures are values: a stable code and the facts behind it. Text is rendered in one catalogue at the
 * edge, so a second language needs no second failure.
 */

/** `area.what`, for example `step.deadline-passed`. Codes are stable: scripts match them. */
export type FailureCode = `${string}.${string}`;

export type Facts = Readonly<Record<string, string>>;

export interface Failure {
  readonly code: FailureCode;
  readonly facts: Facts;
}

export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: Failure };

export function failure(code: FailureCode, facts: Facts = {}): Failure {
  return { code, facts };
}

export function succeed<T>(value: T): Outcome<T> {
  return { ok: true, value };
}

export function fail<T = never>(code: FailureCode, facts: Facts = {}): Outcome<T> {
  return { ok: false, failure: { code, facts } };
}

/** Carries a failure through code that can only throw (a gRPC handler, a stream); caught at the edge. */
export class FailureError extends Error {
  readonly failure: Failure;

  constructor(cause: Failure) {
    super(`${cause.code} ${JSON.stringify(cause.facts)}`);
    this.name = "FailureError";
    this.failure = cause;
  }
}
