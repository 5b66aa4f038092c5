/** I4: a failed, unreachable or unproven node stops everything before another node starts. */
import { expect, it } from "vitest";
import { expectKept, histories, patienceMs } from "./simulator/looking.ts";

it(
  "no node begins while another is broken, has lost its memory, or knows nothing of it",
  () => {
    const { enters, silences } = expectKept("I4", 4_000_000);
    expect(enters).toBeGreaterThan(histories / 4);
    expect(silences).toBeGreaterThan(histories / 20);
  },
  patienceMs,
);
