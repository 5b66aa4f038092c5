import { describe, expect, it } from "vitest";
import type { ArtefactShelf, ControlPort } from "#coordinator/api/control-port.ts";
import { leaderOnly, shelfOfLeader } from "#coordinator/api/leader-only.ts";
import { fail, succeed } from "#proto/common/failure.ts";

const port = new Proxy({} as ControlPort, { get: () => async () => succeed("done") });
const shelf: ArtefactShelf = { push: async () => succeed("pushed"), list: async () => [] };
const header = { name: "p", digest: "", totalBytes: 0 };
const nothing = async function* () {};
const elsewhere = fail("coordinator.not-leader", { leader: "127.0.0.2:7440" });

describe("a coordinator that does not lead", () => {
  const view = () => ({ leads: false, address: "127.0.0.2:7440" });

  it("names the leader for every order, and for every question about the fleet", async () => {
    const followed = leaderOnly(port, view);
    const steering = { rollout: "r", order: "pause", reason: "", words: [] } as const;
    expect(await followed.steer("ann", steering)).toEqual(elsewhere);
    expect(await followed.fleet()).toEqual(elsewhere);
    expect(await followed.why("r")).toEqual(elsewhere);
    expect(await shelfOfLeader(shelf, view).push(header, nothing())).toEqual(elsewhere);
  });

  it("answers for its own ground, and for what only the store can tell", async () => {
    expect(await leaderOnly(port, view).doctor()).toEqual(succeed("done"));
    expect(await leaderOnly(port, view).snapshot("s")).toEqual(succeed("done"));
  });
});

describe("a coordinator that leads", () => {
  it("answers everything", async () => {
    const view = () => ({ leads: true, address: "" });
    expect(await leaderOnly(port, view).fleet()).toEqual(succeed("done"));
    expect(await shelfOfLeader(shelf, view).push(header, nothing())).toEqual(succeed("pushed"));
  });
});
