/** I1: at most one holder of a cluster is between enter and free, in every history. */
import { expect, it } from "vitest";
import { expectKept, histories, patienceMs } from "./simulator/looking.ts";

it(
  "no two nodes are in work at once, whatever is lost, repeated, late, killed or forgotten",
  () => {
    const { enters, frees } = expectKept("I1", 1_000_000);
    // histories that reach nothing would break nothing
    expect(enters).toBeGreaterThan(histories / 4);
    expect(frees).toBeGreaterThan(histories / 8);
  },
  patienceMs,
);
