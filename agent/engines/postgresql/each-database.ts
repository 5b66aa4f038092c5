/** Work on several databases at once, within the time of one step. */
import { FailureError } from "#proto/common/failure.ts";
import type { StepContext } from "../../verb.ts";
import { ask, stop } from "./desk.ts";
import type { Means } from "./settings.ts";
import type { Sql } from "./sql.ts";

/** Connections at once. */
const atOnce = 4;
/** Of the step's time, kept for what follows the last statement. */
const restMs = 1_000;

/**
 * What the work gives, by database. Every statement that was begun has ended when this does. Throws FailureError: the first of them,
 * `postgresql.counting-too-long` where the server has ended a statement whose time was up.
 */
export async function ofEach<T>(
  context: StepContext,
  means: Means,
  names: readonly string[],
  work: (sql: Sql) => Promise<T>,
): Promise<Record<string, T>> {
  const { clock } = context.host;
  const endMs = clock.monotonicMs() + context.deadlineMs - restMs;
  return fewAtOnce(names, (database) => {
    const statementMs = Math.max(1, Math.floor(endMs - clock.monotonicMs()));
    const cut = (error: unknown) => {
      if (!isCut(error)) throw error;
      return stop("postgresql.counting-too-long", { database, withinMs: String(context.deadlineMs) });
    };
    return ask(context, means, work, { database, statementMs, readsRows: true }).catch(cut);
  });
}

/** What the work gives, by database. All that was begun has ended when this does. Throws what the first of them throws. */
export async function fewAtOnce<T>(
  names: readonly string[],
  work: (database: string) => Promise<T>,
): Promise<Record<string, T>> {
  const found: Record<string, T> = {};
  for (let at = 0; at < names.length; at += atOnce) {
    const some = names.slice(at, at + atOnce).map(async (database) => {
      found[database] = await work(database);
    });
    // a failure of one waits for the others: none of them goes on after the step has ended
    for (const ended of await Promise.allSettled(some)) if (ended.status === "rejected") throw ended.reason;
  }
  return found;
}

/** The server has ended a statement whose time was up. */
export function isCut(error: unknown): boolean {
  return error instanceof FailureError && error.failure.facts["sqlstate"] === "57014";
}
