/**
 * I5 with real processes, for every other way that a KWDB cluster goes: coordinator, agents and nats-server killed at
 * each boundary from the first stage to the last. What must be true at the end is the story's own.
 */
import { readFile, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { hasCompiler } from "#test/doubles/kwdb/build-program.ts";
import { ProcessFleet } from "./harness/fleet.ts";
import { Killer } from "./harness/killer.ts";
import { Matrix, turns } from "./harness/matrix.ts";
import { bundle, onlyFull, stoppedAfterEach } from "./harness/preface.ts";
import { mixedOf, outagesOf, overlaps } from "./harness/records.ts";
import { fromVersion, type Site, toVersion } from "./harness/site.ts";
import { isAt, playedUnder } from "./harness/story.ts";

const canBuild = await hasCompiler();
const nodes = ["db1", "db2", "db3"];
const rows = "/var/lib/kaiwudb/rows";

const dist = bundle();
let fleet: ProcessFleet;

stoppedAfterEach(() => [fleet]);

interface Story {
  readonly name: string;
  readonly site: Site;
  /** An upgrade that nobody disturbs comes before. */
  readonly isBack?: boolean;
  /** Checks that are acknowledged. */
  readonly words?: readonly string[];
  ends(): Promise<void>;
}

const neverTwoDown = async () => expect(overlaps(await outagesOf(fleet.hosts))).toEqual([]);
const neverMixed = async () => expect(await mixedOf(fleet.hosts)).toEqual([]);
const rowsAre = async (text: string) => {
  for (const host of fleet.hosts) expect(await readFile(host.path(rows), "utf8")).toBe(text);
};

const stories: readonly Story[] = [
  {
    name: "a single-replica cluster, all stopped together, with archives",
    site: { topology: "single-replication", archives: true },
    ends: neverMixed,
  },
  {
    name: "the way back node by node, on kept data",
    site: {},
    isBack: true,
    words: ["kwdb.back-on-kept-data"],
    ends: async () => {
      await neverTwoDown();
      await rowsAre("after");
    },
  },
  {
    name: "the way back of a single-replica cluster, with the archives of one stop",
    site: { topology: "single-replication", archives: true },
    isBack: true,
    words: ["kwdb.writes-lost"],
    ends: async () => {
      await neverMixed();
      await rowsAre("before");
    },
  },
  ...(canBuild
    ? [
        {
          name: "builds from source that were started by hand, node by node",
          site: { deployment: "compiled" } as const,
          ends: neverTwoDown,
        },
      ]
    : []),
];

async function write(text: string): Promise<void> {
  for (const host of fleet.hosts) await writeFile(host.path(rows), text);
}

const noneIsKilled = () => undefined;

async function upgraded(): Promise<void> {
  await write("before");
  const plan = await fleet.plan();
  await playedUnder(fleet, new Killer(fleet, noneIsKilled), (hear) => fleet.apply(plan, hear));
  await write("after");
}

async function played(story: Story, matrix: Matrix, turn: number): Promise<void> {
  fleet = await ProcessFleet.start(dist(), { coordinators: 1, site: story.site });
  if (story.isBack) await upgraded();
  const plan = story.isBack ? await fleet.planBack() : await fleet.plan();
  const killer = new Killer(fleet, matrix.plot(turn));
  const stops = await playedUnder(fleet, killer, (hear) => fleet.apply(plan, hear, story.words));
  console.log(`${story.name}: ${killer.deeds.length} kills; stopped: ${stops.join(", ") || "never"}`);
  expect(stops).not.toContain("stopped without a word");
  await isAt(fleet, story.isBack ? fromVersion : toVersion);
  await story.ends();
}

const skipUnlessFull = onlyFull("takes an hour");

for (const story of stories)
  describe(`killed at every boundary: ${story.name}`, () => {
    const matrix = new Matrix(nodes);

    for (const turn of turns)
      it(`victims turned by ${turn}: it ends as it should`, async (context) => {
        skipUnlessFull(context);
        await played(story, matrix, turn);
      }, 1_200_000);

    it("none is left out", (context) => {
      skipUnlessFull(context);
      console.log(`${story.name}: ${matrix.boundaries.length} boundaries`);
      expect(matrix.missing).toEqual([]);
    });
  });
