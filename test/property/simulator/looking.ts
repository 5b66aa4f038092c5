/** How the suites look through histories: how many, and what they say when one breaks an invariant. */
import { expect } from "vitest";
import { search, told } from "./history.ts";
import type { Invariant, Truth } from "./truth.ts";

/** Enough for every landing; LOCKKEEPER_HISTORIES looks through more. */
export const histories = Number(process.env["LOCKKEEPER_HISTORIES"] ?? 2_500);

/** As long as a busy machine may take. */
export const patienceMs = 60_000 + histories * 10;

/** Plays `histories` histories from a seed and expects that none breaks the invariant; tells what they reached. */
export function expectKept(invariant: Invariant, from: number): Truth["counts"] {
  const reached = { starts: 0, enters: 0, frees: 0, silences: 0 };
  const found = search({ from, histories }, { sought: [invariant] }, ({ truth }) => {
    reached.starts += truth.counts.starts;
    reached.enters += truth.counts.enters;
    reached.frees += truth.counts.frees;
    reached.silences += truth.counts.silences;
  });
  expect(found === undefined ? "" : told(found)).toBe("");
  return reached;
}
