/** What a NATS error means for the caller: somebody else wrote first, or nobody knows. */
import { JetStreamApiCodes, JetStreamApiError } from "@nats-io/jetstream";
import { FailureError, failure } from "#proto/common/failure.ts";

/** The compare-and-swap lost; in a cluster also against a write that is still in flight. */
const lostCodes: readonly number[] = [
  JetStreamApiCodes.StreamWrongLastSequence,
  JetStreamApiCodes.StreamWrongLastSequenceUnknown,
];

export function isLost(error: unknown): boolean {
  return error instanceof JetStreamApiError && lostCodes.includes(error.code);
}

/** The stream was never made; anything else (no leader, no answer) says nothing about that. */
export function isMissing(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound;
}

export function causeOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/** For reads: an answer that did not come is a failure of the store, never an absent record. */
export function unreachable(error: unknown): FailureError {
  return new FailureError(failure("store.unreachable", { cause: causeOf(error) }));
}
