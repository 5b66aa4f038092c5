/** I2: no step runs under an epoch lower than one that its node has seen. */
import { expect, it } from "vitest";
import { expectKept, histories, patienceMs } from "./simulator/looking.ts";

it(
  "no change starts under an epoch that its node knows to be over",
  () => {
    expect(expectKept("I2", 2_000_000).starts).toBeGreaterThan(histories / 2);
  },
  patienceMs,
);
