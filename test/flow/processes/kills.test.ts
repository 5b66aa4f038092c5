/**
 * I5 with real processes: coordinator, agent and nats-server killed at the boundaries of a node's stage. Each ends
 * as resumed, or as stopped with a named reason and the command to type, which is then typed; by the hosts' own
 * records two databases are never down at once.
 */
import { afterEach, describe, expect, it } from "vitest";
import type { Boundary } from "./harness/boundaries.ts";
import { ProcessFleet } from "./harness/fleet.ts";
import { Killer, type Plot, type Victim, victims } from "./harness/killer.ts";
import { bundle, isFull } from "./harness/preface.ts";
import { allIsWell, playedUnder } from "./harness/story.ts";

const dist = bundle();
let fleet: ProcessFleet | undefined;

afterEach(async () => {
  await fleet?.stop();
  fleet = undefined;
}, 60_000);

/** Upgrades a new fleet under these kills, and looks whether all is well at last. */
async function upgradeUnder(plot: Plot): Promise<{ killer: Killer; stops: readonly string[] }> {
  const made = await ProcessFleet.start(dist(), { coordinators: 1 });
  fleet = made;
  const killer = new Killer(made, plot);
  const plan = await made.plan();
  const stops = await playedUnder(made, killer, (hear) => made.apply(plan, hear));
  await allIsWell(made);
  return { killer, stops };
}

/** Of each node's own stage alone; the others belong to stories.test.ts. */
const isOfNode = ({ name, node }: Boundary): boolean => node !== undefined && !name.includes("/");

describe("a rollout whose processes are killed", () => {
  it("goes on after one kill of each: coordinator, agent and nats-server, in mid node", async () => {
    const places: Readonly<Record<string, Victim>> = {
      "db1 stop started": "coordinator",
      "db2 upgrade-package started": "agent",
      "db3 entered": "nats-server",
    };
    const { killer } = await upgradeUnder(({ name, node = "" }) => {
      const victim = places[`${node} ${name}`];
      return victim === undefined ? undefined : { victim, node };
    });
    expect(killer.deeds).toHaveLength(3);
  }, 300_000);
});

/** Every second boundary in one rollout, the others in the next: between two kills there is room to go wrong. */
const lanes = 2;
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
      if (!isFull) return context.skip("takes half an hour; make test-full runs it");
      const { killer, stops } = await upgradeUnder((boundary) => {
        if (!isOfNode(boundary) || numberOf(boundary.name) % lanes !== lane) return undefined;
        const { name, node = "" } = boundary;
        const victim = victims[(["db1", "db2", "db3"].indexOf(node) + turn) % victims.length] ?? "agent";
        struck.get(victim)?.add(name);
        return { victim, node };
      });
      console.log(`${killer.deeds.length} kills; stopped: ${stops.join(", ") || "never"}`);
      expect(stops).not.toContain("stopped without a word");
    }, 1_200_000);

  it("none is left out", (context) => {
    if (!isFull) return context.skip("belongs to the half hour before it");
    for (const victim of victims) expect(known.filter((one) => !struck.get(victim)?.has(one))).toEqual([]);
  });
});
