import { describe, expect, it } from "vitest";
import { toWords } from "#coordinator/cli/words.ts";

const now = Date.parse("2026-01-01T00:00:00Z");

describe("toWords", () => {
  it("gives one reason to all words", () => {
    const words = toWords({ ack: ["kwdb.backup"], override: [], reason: ["tape of Monday"] }, now);
    expect(words.acknowledgements).toEqual([{ check: "kwdb.backup", reason: "tape of Monday", until: "" }]);
  });

  it("reads --until as a duration from now", () => {
    const { overrides } = toWords(
      { ack: [], override: ["kwdb.spread"], reason: ["known"], until: "2h" },
      now,
    );
    expect(overrides[0]?.until).toBe("2026-01-01T02:00:00.000Z");
  });

  it.each([
    [
      "a word without a reason",
      { ack: ["kwdb.backup"], override: [], reason: [] },
      "cli.word-without-reason",
    ],
    [
      "a reason nobody filled in",
      { ack: ["kwdb.backup"], override: [], reason: ["…"] },
      "cli.word-without-reason",
    ],
    [
      "an override without an end",
      { ack: [], override: ["kwdb.space"], reason: ["b"] },
      "cli.override-without-end",
    ],
    [
      "an end in the past",
      { ack: [], override: ["kwdb.space"], reason: ["b"], until: "2020-01-01" },
      "cli.until-past",
    ],
    [
      "an end that is no time",
      { ack: [], override: ["kwdb.space"], reason: ["b"], until: "soon" },
      "cli.until-unreadable",
    ],
    [
      "two reasons for three words",
      { ack: ["kwdb.backup", "kwdb.clients"], override: ["kwdb.space"], reason: ["x", "y"], until: "1h" },
      "cli.reasons-do-not-match",
    ],
  ])("refuses %s", (_, options, code) => {
    expect(() => toWords(options, now)).toThrow(code);
  });
});
