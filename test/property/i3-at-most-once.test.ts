/**
 * I3: a step that changes things starts at most once per attempt. Here: whatever programs are sent, sent again, and
 * lost between two lives of an agent. What its probe says after a crash is looked at with the real runner, in
 * agent/once.test.ts.
 */
import { expect, it } from "vitest";
import { expectKept, histories, patienceMs } from "./simulator/looking.ts";

it(
  "no change of one attempt starts twice, however often its program comes",
  () => {
    expect(expectKept("I3", 3_000_000).starts).toBeGreaterThan(histories / 2);
  },
  patienceMs,
);
