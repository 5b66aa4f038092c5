/** The search finds each guard that is taken out on purpose; otherwise its silence about the others says nothing. */
import { describe, expect, it } from "vitest";
import { type Focus, search, told } from "./simulator/history.ts";
import { mutants } from "./simulator/rules.ts";

const bound = 30_000;

/** The faults without which a guard is hardly ever needed; a search over all of them finds it too, later. */
const focus: Readonly<Record<keyof typeof mutants, Focus>> = {
  "no epoch check": { faults: ["leader changed"], oldStreamsHeard: true },
  "no enter": {},
  "no announce": {},
  "an announcement accepted by a busy agent": { faults: ["messages lost"] },
  "a lock that expires": { faults: ["messages lost"] },
};

describe("a lock with a hole", () => {
  for (const name of Object.keys(mutants) as (keyof typeof mutants)[]) {
    it(`is found out: ${name}`, () => {
      const looking = { rules: mutants[name], sought: ["I1", "I2"], focus: focus[name] } as const;
      const found = search({ from: 0, histories: bound }, looking);
      expect(found?.violation.invariant).toMatch(/^I[12]$/);
      // what it tells can be followed by a person, and played again
      expect(found?.numbers.length).toBeLessThan(150);
      expect(found === undefined ? "" : told(found)).toContain(`seed ${found?.setting.seed}`);
    }, 180_000);
  }
});
