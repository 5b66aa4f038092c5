/** Mail may wait until its node has another memory: taken for the new one's, it would make the new one unheard. */
import { expect, it } from "vitest";
import { AgentDesk, type AgentDeskMeans } from "#coordinator/engine/agents/agent-desk.ts";
import { AgentReports } from "#coordinator/engine/agents/agent-reports.ts";
import type { Mail } from "#coordinator/engine/agents/inbox.ts";
import type { Presence } from "#coordinator/engine/ports.ts";
import { StepEvent } from "#proto/gen/lockkeeper/v1/program_pb.ts";

it("mail carries the state id of the stream that brought it; what comes after the stream's end is not heard", () => {
  const mails: Mail[] = [];
  let presence: Pick<Presence, "hello"> | undefined = { hello: { stateId: "old" } as Presence["hello"] };
  const desk = new AgentDesk({
    reports: new AgentReports(),
    fleet: () => ({ presence: () => presence }),
    drivers: { deliver: (_rollout: string, mail: Mail) => mails.push(mail) > 0 },
  } as unknown as AgentDeskMeans);
  const message = {
    $case: "stepEvent",
    value: StepEvent.fromPartial({ rollout: "r", sequence: 9 }),
  } as const;
  desk.said("db1", message);
  presence = { hello: { stateId: "new" } as Presence["hello"] };
  expect(mails).toEqual([{ kind: "said", node: "db1", stateId: "old", message }]);
  presence = undefined;
  desk.said("db1", message);
  expect(mails).toHaveLength(1);
});
