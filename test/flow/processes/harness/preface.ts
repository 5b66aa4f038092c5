/** What the tests of whole rollouts begin with: the bundle that they run, and which of them `make test` leaves out. */
import { rm } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, type TestContext } from "vitest";
import { bundled } from "./fleet.ts";

export const isFull = process.env["LOCKKEEPER_TEST_FULL"] === "1";

/** Skips its case but in make test-full; `why` says what it takes, or what shows the same in make test. */
export function onlyFull(why: string): (context: TestContext) => void {
  return (context) => {
    if (!isFull) context.skip(`${why}; make test-full runs it`);
  };
}

/** One bundle for all cases of a file, taken away after the last one: its folder. */
export function bundle(): () => string {
  let dist = "";
  beforeAll(async () => {
    dist = await bundled();
  }, 120_000);
  afterAll(() => rm(dist, { recursive: true, force: true }));
  return () => dist;
}

/** In this order, after each case; undefined: it was not begun. */
export function stoppedAfterEach(begun: () => readonly ({ stop(): Promise<unknown> } | undefined)[]): void {
  afterEach(async () => {
    for (const each of begun()) await each?.stop();
  }, 60_000);
}
