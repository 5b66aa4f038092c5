/** What a NATS error means for the caller: somebody else wrote first, or nobody knows. */
import { JetStreamApiError } from "@nats-io/jetstream";
import { FailureError, failure } from "#proto/common/failure.ts";

/** JetStream's "wrong last sequence": the compare-and-swap lost. */
const wrongLastSequence = 10071;
/** Raised by servers of a cluster for a lost compare-and-swap that was still in flight. */
const wrongLastSequenceConstant = 10164;

export function isLost(error: unknown): boolean {
  return (
    error instanceof JetStreamApiError && [wrongLastSequence, wrongLastSequenceConstant].includes(error.code)
  );
}

export function causeOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/** For reads: an answer that did not come is a failure of the store, never an absent record. */
export function unreachable(error: unknown): FailureError {
  return new FailureError(failure("store.unreachable", { cause: causeOf(error) }));
}
