/** What the verbs of a move share: whose objects they speak of, a connection, and results out of statements. */
import { z } from "zod";
import { FailureError, failure, type Outcome, succeed } from "#proto/common/failure.ts";
import { failedBy } from "../../outcome.ts";
import type { Probe, StepContext, StepResult } from "../../verb.ts";
import { databases } from "../databases.ts";
import { rollout } from "../rollout-arg.ts";
import type { Means } from "./settings.ts";
import { type Sql, type SqlOptions, withSql } from "./sql.ts";

/** `of`: the rollout whose objects are meant, where it is not the present one. */
export const of = z.strictObject({ of: rollout.optional() });
export const ofDatabases = z.strictObject({ databases, of: rollout.optional() });
/** System identifier of the server that subscribes: by it the slots of its tables' copies are known. */
export const subscriber = z
  .string()
  .regex(/^\d{1,20}$/)
  .optional();
export const direction = z.enum(["forward", "back"]);
export const ofDirection = z.strictObject({ databases, direction, of: rollout.optional() });
export const ofSubscription = ofDirection.extend({
  /** host:port of the server that publishes. */
  at: z.string().regex(/^[^\s'\\]{1,255}:\d{1,5}$/),
  /** Rows that are there already are copied first; `no`: the slot was made before, and waits. */
  copy: z.enum(["yes", "no"]),
});

export function ownerOf(context: StepContext, args: { readonly of?: string | undefined }): string {
  return args.of ?? context.rollout;
}

type Limits = Omit<SqlOptions, "signal" | "database">;

/** Throws FailureError where the server is not reached or a statement fails. */
export async function ask<T>(
  context: Pick<StepContext, "host" | "signal">,
  means: Means,
  work: (sql: Sql) => Promise<T>,
  { database, ...limits }: Limits & { readonly database?: string } = {},
): Promise<T> {
  const options = { database, signal: context.signal, ...limits };
  const found = await withSql(context.host, means, options, async (sql) => succeed(await work(sql)));
  if (!found.ok) throw new FailureError(found.failure);
  return found.value;
}

/** One connection after the other. */
export async function inEach<T>(
  context: Pick<StepContext, "host" | "signal">,
  means: Means,
  names: readonly string[],
  work: (sql: Sql) => Promise<T>,
  limits: Limits = {},
): Promise<readonly T[]> {
  const found: T[] = [];
  for (const database of names) found.push(await ask(context, means, work, { database, ...limits }));
  return found;
}

/** A failure that was thrown is the step's own. */
export async function resultOf(work: () => Promise<StepResult>): Promise<StepResult> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof FailureError) return failedBy(error.failure);
    throw error;
  }
}

/** Done where nothing is missing; unknown where that cannot be seen. */
export async function probeOf(missing: () => Promise<readonly string[]>): Promise<Probe> {
  try {
    return (await missing()).length === 0 ? { state: "done", outputs: {} } : { state: "not-done" };
  } catch (error) {
    if (error instanceof FailureError) return { state: "unknown", failure: error.failure };
    throw error;
  }
}

export function must<T>(found: Outcome<T>): T {
  if (!found.ok) throw new FailureError(found.failure);
  return found.value;
}

export function stop(...given: Parameters<typeof failure>): never {
  throw new FailureError(failure(...given));
}

/** Tries again until the statement's lock is free or the step's end comes: a lock of ours may not queue for long. */
export async function patiently(context: StepContext, work: () => Promise<void>): Promise<void> {
  for (let pauseMs = 200; ; pauseMs = Math.min(5_000, pauseMs * 2)) {
    try {
      return await work();
    } catch (error) {
      const isLock = error instanceof FailureError && error.failure.facts["sqlstate"] === "55P03";
      if (!isLock || context.signal.aborted) throw error;
      await context.host.clock.sleep(pauseMs, context.signal).catch(() => undefined);
    }
  }
}
