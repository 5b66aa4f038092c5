/** How a question over gRPC is answered: a document, or the failure in a trailer. */
import { type CallContext, ServerError, Status } from "nice-grpc";
import { type Failure, FailureError, failure, type Outcome } from "#proto/common/failure.ts";
import type { Caller, Document } from "#proto/gen/lockkeeper/v1/control_pb.ts";
import { Failure as WireFailure } from "#proto/gen/lockkeeper/v1/program_pb.ts";

const failureTrailer = "lockkeeper-failure-bin";

export function answering<Request, Response>(handle: (request: Request) => Promise<Response>) {
  return async (request: Request, context: CallContext): Promise<Response> => {
    try {
      return await handle(request);
    } catch (error) {
      throw refuse(error, context);
    }
  };
}

/** Puts the failure into the trailer; what is no FailureError is a defect, told as such without its internals. */
export function refuse(error: unknown, context: CallContext): unknown {
  if (error instanceof ServerError || context.signal.aborted) return error;
  const told: Failure =
    error instanceof FailureError ? error.failure : failure("internal.unexpected", { cause: String(error) });
  context.trailer.set(
    failureTrailer,
    Buffer.from(WireFailure.encode(WireFailure.fromPartial(told)).finish()),
  );
  return new ServerError(
    error instanceof FailureError ? Status.FAILED_PRECONDITION : Status.INTERNAL,
    told.code,
  );
}

export function taken<T>(outcome: Outcome<T>): T {
  if (outcome.ok) return outcome.value;
  throw new FailureError(outcome.failure);
}

export function document(kind: string, format: number, body: unknown): Document {
  return { kind, format, json: Buffer.from(JSON.stringify(body)) };
}

/** Nothing proves the name yet, and the record says so. */
export function who(caller: Caller | undefined): string {
  return `${caller?.user || "somebody"}@${caller?.host || "somewhere"} (unproven)`;
}

export function bounded(limit: number): number {
  return limit < 1 ? 100 : Math.min(limit, 10_000);
}
