import { describe, expect, it } from "vitest";
import { keepingWord } from "#agent/engines/kwdb/keeping-jobs.ts";
import type { Job } from "#proto/engines/kwdb.ts";

const since = "2026-02-01 10:00:00.5+00:00";
const job = (more: Partial<Job>): Job => ({
  id: "1",
  type: "COMPRESS",
  status: "running",
  created: null,
  finished: null,
  coordinatorId: 1,
  error: "",
  lastSuccess: null,
  ...more,
});

describe("a good run of COMPRESS", () => {
  it.each<[string, readonly Job[], boolean, string]>([
    ["no such job", [job({ type: "RETENTION" })], true, "no such job is known"],
    [
      "a run that succeeded afterwards",
      [job({ status: "succeeded", finished: "2026-02-01 10:00:01+00:00" })],
      true,
      "a good run at 2026-02-01 10:00:01+00:00",
    ],
    [
      "a scheduled job that had a success afterwards, and fails now",
      [job({ status: "failed", error: "x", lastSuccess: "2026-02-01 11:00:00+00:00" })],
      true,
      "a good run at 2026-02-01 11:00:00+00:00",
    ],
    [
      "the latest of several",
      [
        job({ status: "succeeded", finished: "2026-02-01 12:00:00+00:00" }),
        job({ status: "succeeded", finished: "2026-02-01 13:00:00+00:00" }),
        job({ status: "succeeded", finished: "2026-02-01 11:00:00+00:00" }),
      ],
      true,
      "a good run at 2026-02-01 13:00:00+00:00",
    ],
    [
      "only a run from before",
      [job({ status: "succeeded", finished: "2026-02-01 10:00:00.4+00:00" })],
      false,
      `no good run yet since ${since}`,
    ],
    ["a run that goes on", [job({})], false, `no good run yet since ${since}`],
    [
      "a run that failed",
      [job({ status: "failed", finished: "2026-02-01 10:30:00+00:00", error: "node 2 is down" })],
      false,
      `no good run yet since ${since}; last error: node 2 is down`,
    ],
  ])("%s", (_, jobs, isSettled, says) => {
    expect(keepingWord(jobs, "COMPRESS", since)).toEqual({ isSettled, says });
  });

  it("is never seen since an instant that is not known", () => {
    const good = job({ status: "succeeded", finished: "2026-02-01 13:00:00+00:00" });
    expect(keepingWord([good], "COMPRESS", "").isSettled).toBe(false);
  });
});
