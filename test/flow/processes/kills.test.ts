/**
 * I5 with real processes: coordinator, agent and nats-server killed at the boundaries of a node's stage. Each ends
 * as resumed, or as stopped with a named reason and the command to type, which is then typed; by the hosts' own
 * records two databases are never down at once.
 */
import { rm } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { bundled, ProcessFleet } from "./harness/fleet.ts";
import { Killer, type Murder, type Victim } from "./harness/killer.ts";
import { allIsWell, nextCommand, reasonOf } from "./harness/story.ts";

const full = process.env["LOCKKEEPER_TEST_FULL"] === "1";
const stoppedSafely = 5;
const mostStops = 20;

let dist = "";
let fleet: ProcessFleet | undefined;

beforeAll(async () => {
  dist = await bundled();
}, 60_000);

afterEach(async () => {
  await fleet?.stop();
  fleet = undefined;
}, 60_000);

afterAll(() => rm(dist, { recursive: true, force: true }));

/** Upgrades a new fleet under these murders, typing what the product says whenever it has stopped. */
async function upgradeUnder(murders: readonly Murder[]): Promise<{ killer: Killer; stops: string[] }> {
  fleet = await ProcessFleet.start(dist, { coordinators: 1 });
  const killer = new Killer(fleet, murders);
  const stops: string[] = [];
  let follow = fleet.apply(await fleet.plan(), killer.hear);
  for (let ran = await follow.ended; ran.code !== 0; ran = await follow.ended) {
    expect(ran.code, ran.stderr).toBe(stoppedSafely);
    stops.push(reasonOf(follow));
    expect(stops.length, stops.join("; ")).toBeLessThan(mostStops);
    await killer.mended();
    follow = fleet.follow(await nextCommand(fleet), killer.hear);
  }
  await killer.mended();
  return { killer, stops };
}

async function isWell(): Promise<void> {
  if (fleet === undefined) throw new Error("no fleet");
  await allIsWell(fleet);
}

const at = (boundary: string) => (found: string) => found === boundary;

describe("a rollout whose processes are killed", () => {
  it("goes on after one kill of each: coordinator, agent and nats-server, in mid node", async () => {
    const { killer } = await upgradeUnder([
      { node: "db1", victim: "coordinator", strikes: at("stop started") },
      { node: "db2", victim: "agent", strikes: at("upgrade-package started") },
      { node: "db3", victim: "nats-server", strikes: at("entered") },
    ]);
    expect(killer.deeds).toHaveLength(3);
    await isWell();
  }, 300_000);
});

/** Every second boundary in one rollout, the others in the next: between two kills there is room to go wrong. */
const lanes = 2;
const victims: readonly Victim[] = ["coordinator", "agent", "nats-server"];
const rounds = victims.flatMap((_, turn) => Array.from({ length: lanes }, (_lane, lane) => ({ turn, lane })));

describe("at every boundary of a node's stage", () => {
  const struck = new Map<Victim, Set<string>>(victims.map((victim) => [victim, new Set()]));
  const known: string[] = [];
  /** The same number in every round, whatever a kill brings forward or puts off. */
  const numberOf = (boundary: string) => {
    if (!known.includes(boundary)) known.push(boundary);
    return known.indexOf(boundary);
  };

  for (const { turn, lane } of rounds)
    it(`victims turned by ${turn}, lane ${lane}: it ends as it should`, async (context) => {
      if (!full) return context.skip("takes half an hour; make test-full runs it");
      const murders = ["db1", "db2", "db3"].map((node, index): Murder => {
        const victim = victims[(index + turn) % victims.length] ?? "agent";
        const strikes = (boundary: string) => {
          if (numberOf(boundary) % lanes !== lane) return false;
          struck.get(victim)?.add(boundary);
          return true;
        };
        return { node, victim, strikes };
      });
      const { killer, stops } = await upgradeUnder(murders);
      console.log(`${killer.deeds.length} kills; stopped: ${stops.join(", ") || "never"}`);
      expect(stops).not.toContain("stopped without a word");
      await isWell();
    }, 1_200_000);

  it("none is left out", (context) => {
    if (!full) return context.skip("belongs to the half hour before it");
    for (const victim of victims) expect(known.filter((one) => !struck.get(victim)?.has(one))).toEqual([]);
  });
});
