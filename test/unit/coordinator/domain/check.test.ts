import { describe, expect, it } from "vitest";
import { blocking, type CheckResult, type CheckStatus, type Word } from "#coordinator/domain/check.ts";

const now = Date.parse("2026-02-01T00:00:00Z");
const later = "2026-02-01T01:00:00Z";
const earlier = "2026-01-31T23:00:00Z";

const of = (status: CheckStatus, yields: CheckResult["yields"]): CheckResult => ({
  id: "k.c",
  status,
  facts: {},
  yields,
});
const word = (kind: Word["kind"], until?: string, check = "k.c"): Word => ({
  kind,
  check,
  reason: "r",
  by: "b",
  at: earlier,
  ...(until === undefined ? {} : { until }),
});

describe("what blocks", () => {
  it.each<readonly [CheckStatus, boolean]>([
    ["ok", false],
    ["warn", false],
    ["ko", true],
    ["unknown", true],
    ["not-applicable", false],
  ])("%s without a word: %s", (status, blocks) => {
    expect(blocking([of(status, "never")], [], now)).toHaveLength(blocks ? 1 : 0);
  });

  it.each<readonly [string, CheckStatus, CheckResult["yields"], Word, boolean]>([
    [
      "an acknowledgement answers what cannot be measured",
      "unknown",
      "acknowledge",
      word("acknowledgement"),
      false,
    ],
    ["not what was measured", "ko", "acknowledge", word("acknowledgement"), true],
    [
      "an override does not answer where only an acknowledgement is asked",
      "unknown",
      "acknowledge",
      word("override", later),
      true,
    ],
    ["an override answers what was measured", "ko", "override", word("override", later), false],
    ["and what was not", "unknown", "override", word("override", later), false],
    ["until its end, not after", "ko", "override", word("override", earlier), true],
    [
      "an acknowledgement with an end ends too",
      "unknown",
      "acknowledge",
      word("acknowledgement", earlier),
      true,
    ],
    ["an acknowledgement is no override", "ko", "override", word("acknowledgement"), true],
    ["some checks take nobody's word", "unknown", "never", word("acknowledgement"), true],
    ["some checks take nobody's word, measured or not", "ko", "never", word("override", later), true],
    [
      "a word about another check says nothing",
      "unknown",
      "acknowledge",
      word("acknowledgement", undefined, "k.d"),
      true,
    ],
  ])("%s", (_, status, yields, given, blocks) => {
    expect(blocking([of(status, yields)], [given], now)).toHaveLength(blocks ? 1 : 0);
  });
});
