/** Two coordinators on one NATS: only one acts; when it is killed, the other goes on within the lease. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { connect } from "#coordinator/cli/client.ts";
import type { RolloutEvent } from "#coordinator/domain/rollout/event.ts";
import { natsBinary, PlainServer } from "#test/contract/nats/server.ts";
import { freePorts } from "#test/doubles/host/create-host.ts";
import { type Coordinator, lease, ProcessFleet } from "./harness/fleet.ts";
import { bundle } from "./harness/preface.ts";
import { outagesOf, overlaps } from "./harness/records.ts";
import { toVersion } from "./harness/site.ts";

/** Beyond the lease: a beat of the observer, and the tardiness of a machine on which all other tests run too. */
const slackMs = 20_000;

const dist = bundle();
let folder = "";
let nats: PlainServer;
let fleet: ProcessFleet;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lockkeeper-nats-"));
  const [port = 0] = await freePorts(1);
  const configuration = `jetstream { store_dir: "${join(folder, "store")}", sync_interval: always }\n`;
  nats = new PlainServer({ name: "n1", binary: natsBinary(), folder, port, configuration });
  nats.start();
  await nats.answers();
  fleet = await ProcessFleet.start(dist(), { coordinators: 2, nats: [nats.url] });
}, 180_000);

afterEach(async () => {
  await fleet?.stop();
  await nats?.kill();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

/** What a coordinator says when it alone is asked for locks: that it leads, or who does. */
async function answerOf({ address }: Coordinator): Promise<string> {
  const { client, close } = connect(address);
  try {
    await client.listLocks({ cluster: "" });
    return "leads";
  } catch (error) {
    const { failure } = error as { failure?: { code: string; facts: Record<string, string> } };
    return failure?.code === "coordinator.not-leader" ? (failure.facts["leader"] ?? "") : String(error);
  } finally {
    close();
  }
}

async function inOrder(): Promise<readonly [Coordinator, Coordinator]> {
  const [one, two] = fleet.coordinators as [Coordinator, Coordinator];
  return (await answerOf(one)) === "leads" ? [one, two] : [two, one];
}

const takeOvers = (events: readonly RolloutEvent[]) =>
  events.filter(({ fact }) => fact.kind === "taken-over");

describe("two coordinators on one NATS", () => {
  it("one acts and the other names it; when it is killed in mid node the other goes on within the lease", async () => {
    const [leader, other] = await inOrder();
    expect([await answerOf(leader), await answerOf(other)]).toEqual(["leads", leader.address]);
    // the command line finds the leader by the other's word alone
    await fleet.untilAttached([other.address]);

    let killedAt = 0;
    const rollout = fleet.apply(await fleet.plan(), ({ fact }) => {
      const inMidNode = fact.kind === "step" && fact.stage === "node-db2" && fact.phase === "started";
      if (!inMidNode || fact.step !== "stop" || killedAt > 0) return;
      killedAt = Date.now();
      leader.process.signal("SIGKILL");
    });
    const { code, stderr } = await rollout.ended;
    expect({ code, killed: killedAt > 0 }, stderr).toEqual({ code: 0, killed: true });

    const [takenOver, ...more] = takeOvers(rollout.events);
    expect(more).toEqual([]);
    expect(takenOver?.fact).toMatchObject({ coordinator: expect.stringContaining(other.name) });
    expect(Date.parse(takenOver?.at ?? "") - killedAt).toBeLessThan(lease.lengthMs + lease.beatMs + slackMs);
    expect(await answerOf(other)).toBe("leads");
    expect(await fleet.versions()).toEqual(Array(3).fill(`${toVersion} ready`));
    const outages = await outagesOf(fleet.hosts);
    expect(new Set(outages.map(({ node }) => node))).toEqual(new Set(["db1", "db2", "db3"]));
    expect(overlaps(outages)).toEqual([]);
  }, 240_000);

  it("the one that comes back follows, and leads again when the other leaves in order", async () => {
    const [dead, leader] = await inOrder();
    dead.process.signal("SIGKILL");
    await fleet.until("the other leads", async () => (await answerOf(leader)) === "leads");
    dead.process.start();
    await fleet.until("it names the leader", async () => (await answerOf(dead)) === leader.address);
    await leader.process.end();
    // no lease has to run out: it was given back
    await fleet.until("it leads", async () => (await answerOf(dead)) === "leads", lease.lengthMs / 2);
    await fleet.untilAttached();
  });
});
