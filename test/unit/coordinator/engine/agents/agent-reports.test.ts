/** What is believed of a node in work: one taken for ended while it works could be freed, broken or answered for. */
import { beforeEach, expect, it } from "vitest";
import { AgentReports } from "#coordinator/engine/agents/agent-reports.ts";
import type { Presence } from "#coordinator/engine/ports.ts";
import { Hello, ProgramAccepted, ProgramStanding } from "#proto/gen/lockkeeper/v1/agent_pb.ts";
import { ProgramEnded, ProgramOutcome } from "#proto/gen/lockkeeper/v1/program_pb.ts";

const first = { rollout: "r", stage: "s/stop", attempt: 1, epoch: 3 };
const next = { ...first, stage: "s/start" };
let reports: AgentReports;

beforeEach(() => {
  reports = new AgentReports();
  const unfinished = { ...first, cluster: "c", nonce: "n", standing: ProgramStanding.IN_FLIGHT };
  const hello = Hello.fromPartial({ node: "db1", stateId: "a", unfinished });
  reports.attached({ node: "db1", hello, stream: 1, lastWordMs: 0 } as Presence);
});

const standing = () => reports.unfinished("db1")?.standing;

function ends(program: typeof first, outcome: ProgramOutcome = ProgramOutcome.DONE): void {
  reports.said("db1", { $case: "programEnded", value: ProgramEnded.fromPartial({ ...program, outcome }) });
}

function accepts(program: typeof first, accepted = true): void {
  reports.said("db1", {
    $case: "programAccepted",
    value: ProgramAccepted.fromPartial({ ...program, accepted }),
  });
}

it("the end of an earlier program, told again to a coordinator that has forgotten it, is not the end of this one", () => {
  for (const earlier of [
    { ...first, rollout: "before" },
    { ...first, stage: "staging", epoch: 0 },
    { ...first, epoch: 2 },
  ]) {
    ends(earlier);
    ends(earlier, ProgramOutcome.NEVER_BEGUN);
    expect(standing()).toBe("in-flight");
  }
  ends(first);
  expect(standing()).toBe("ended");
});

it("a further try or phase under the same lock is in flight again, until its own end", () => {
  ends(first);
  accepts({ ...first, attempt: 2 });
  expect(standing()).toBe("in-flight");
  ends(first);
  expect(standing()).toBe("in-flight");
  ends({ ...first, attempt: 2 });
  accepts(next);
  expect(reports.unfinished("db1")).toMatchObject({ stage: "s/start", standing: "in-flight" });
  ends(next);
  expect(standing()).toBe("ended");
});

it("an answer given twice, or a refusal, begins nothing", () => {
  ends(first);
  accepts(first);
  accepts(next, false);
  expect(standing()).toBe("ended");
});

it("a wish to undo that is told twice puts nothing to work twice: else the end of the next phase were not seen", () => {
  ends(next);
  ends(first);
  for (const [ask, program] of [next, first].entries()) {
    reports.undoAsked("db1", { ...program, ask });
    expect(standing()).toBe("in-flight");
    ends(program, ProgramOutcome.STOPPED);
    // told again before its end was written down
    reports.undoAsked("db1", { ...program, ask });
    expect(standing()).toBe("ended");
  }
  reports.undoAsked("db1", { ...first, ask: 9 });
  expect(standing()).toBe("in-flight");
});
