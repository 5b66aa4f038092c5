/** Step results in one call. */
import { type Facts, type Failure, failure } from "#proto/common/failure.ts";
import type { StepResult } from "./verb.ts";

export function done(outputs: Facts = {}, tail?: string): StepResult {
  return { result: "done", outputs, ...(tail === undefined ? {} : { tail }) };
}

export function failed(code: Failure["code"], facts: Facts = {}, tail?: string): StepResult {
  return failedBy(failure(code, facts), tail);
}

export function failedBy(why: Failure, tail?: string): StepResult {
  return { result: "failed", failure: why, ...(tail === undefined || tail === "" ? {} : { tail }) };
}
