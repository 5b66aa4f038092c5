import { describe, expect, it } from "vitest";
import { withLeader } from "#coordinator/cli/client.ts";
import { read } from "#coordinator/cli/command.ts";
import type { RolloutEvent } from "#coordinator/domain/rollout/event.ts";
import { systemClock } from "#proto/common/clock.ts";
import { FailureError, fail, failure, succeed } from "#proto/common/failure.ts";
import { serve } from "./serving.ts";

describe("control service and its client", () => {
  it("carries a refusal as code and facts, not as prose", async () => {
    const address = await serve({
      locks: async () => fail("claim.held", { cluster: "账单", rollout: "r1" }),
    });
    const refused = withLeader([address], systemClock, (client) => client.listLocks({ cluster: "" }));
    await expect(refused).rejects.toMatchObject({
      failure: { code: "claim.held", facts: { cluster: "账单", rollout: "r1" } },
    });
  });

  it("goes to the leader that a follower names", async () => {
    const leader = await serve({ locks: async () => succeed([]) });
    const follower = await serve({ locks: async () => fail("coordinator.not-leader", { leader }) });
    await expect(
      withLeader([follower], systemClock, (client) => client.listLocks({ cluster: "" })),
    ).resolves.toEqual({
      locks: [],
    });
  });

  it("says which address does not answer", async () => {
    const dead = "127.0.0.1:1";
    await expect(
      withLeader([dead], systemClock, (client) => client.listLocks({ cluster: "" })),
    ).rejects.toMatchObject({
      failure: { code: "coordinator.unreachable", facts: { address: dead } },
    });
  });

  it("goes on to the next coordinator when the first is dead", async () => {
    const alive = await serve({ locks: async () => succeed([]) });
    await expect(
      withLeader(["127.0.0.1:1", alive], systemClock, (client) => client.listLocks({ cluster: "" })),
    ).resolves.toEqual({ locks: [] });
  });

  it("streams events in order and tells a failure in the middle of a stream", async () => {
    const event = (sequence: number): RolloutEvent => ({
      format: 1,
      rollout: "r1",
      sequence,
      at: "2026-01-01T00:00:00Z",
      fact: { kind: "aborted" },
    });
    async function* watch() {
      yield event(1);
      yield event(2);
      throw new FailureError(failure("store.unreachable", {}));
    }
    const address = await serve({ watch });
    const seen: number[] = [];
    const watching = withLeader([address], systemClock, async (client) => {
      for await (const response of client.watch({ rollout: "r1", afterSequence: 0, follow: true })) {
        seen.push(read<RolloutEvent>(response.event, "event").sequence);
      }
    });
    await expect(watching).rejects.toMatchObject({ failure: { code: "store.unreachable" } });
    expect(seen).toEqual([1, 2]);
  });

  it("tells a defect as a defect", async () => {
    const address = await serve({
      locks: () => {
        throw new TypeError("boom");
      },
    });
    await expect(
      withLeader([address], systemClock, (client) => client.listLocks({ cluster: "" })),
    ).rejects.toMatchObject({
      failure: { code: "internal.unexpected" },
    });
  });
});
