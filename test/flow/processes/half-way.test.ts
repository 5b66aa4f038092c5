/**
 * A person has run deploy.sh on a node, outside any rollout, and it has failed half-way. Either plan brings the node to
 * where it belongs, also under kills; by the hosts' own records two databases are never down at once.
 */
import { describe, expect, it } from "vitest";
import { unpackedIn, upgradeByHand } from "./harness/by-hand.ts";
import { ProcessFleet } from "./harness/fleet.ts";
import { Killer, type Plot } from "./harness/killer.ts";
import { bundle, onlyFull, stoppedAfterEach } from "./harness/preface.ts";
import { outagesOf, overlaps } from "./harness/records.ts";
import { toVersion } from "./harness/site.ts";
import { allIsWell, isAt, playedUnder } from "./harness/story.ts";

const skipUnlessFull = onlyFull("minutes for each");
const longMs = 300_000;
const refusedCode = 3;

const dist = bundle();
let fleet: ProcessFleet;

stoppedAfterEach(() => [fleet]);

type Faults = Readonly<Record<string, string>>;

/** db2 as somebody has left it. */
async function leftHalfWay(faults: Faults): Promise<void> {
  fleet = await ProcessFleet.start(dist(), { coordinators: 1 });
  const [, db2] = fleet.hosts;
  if (db2 === undefined) throw new Error("no db2");
  await db2.faults(faults);
  await upgradeByHand(db2, unpackedIn(fleet.folder, toVersion));
  await db2.faults({});
}

async function play(plan: string, words: readonly string[], plot: Plot = () => undefined): Promise<Killer> {
  const killer = new Killer(fleet, plot);
  const stops = await playedUnder(fleet, killer, (hear) => fleet.apply(plan, hear, words));
  expect(stops).not.toContain("stopped without a word");
  return killer;
}

const halfWay = "kwdb.half-way";
const onKept = "kwdb.back-on-kept-data";

describe("a node that somebody has left half-changed", () => {
  it(
    "is finished first, then the others, also when its agent and the coordinator are killed in between",
    async () => {
      await leftHalfWay({ install_fails: "server" });
      const plan = await fleet.plan();
      // neither is taken without a person's word
      const unsaid = await fleet.apply(plan, () => undefined).ended;
      expect(unsaid.code, unsaid.stderr).toBe(refusedCode);
      expect(unsaid.stderr).toContain(halfWay);
      const { deeds } = await play(plan, [halfWay], ({ name, node }) => {
        if (node !== "db2") return undefined;
        if (name === "upgrade-package started") return { victim: "agent", node };
        return name === "start done" ? { victim: "coordinator", node } : undefined;
      });
      expect(deeds).toEqual(["agent at db2: upgrade-package started", "coordinator at db2: start done"]);
      await allIsWell(fleet);
      const [first] = await outagesOf(fleet.hosts);
      expect(first?.node).toBe("db2");
    },
    longMs,
  );

  it(
    "gets its old package back, and no other node is touched",
    async (context) => {
      skipUnlessFull(context);
      await leftHalfWay({ version_copy: "fails" });
      const killer = await play(await fleet.planPutBack(), [halfWay, onKept], ({ name, node }) =>
        name === "restore-package started" ? { victim: "agent", node: node ?? "" } : undefined,
      );
      expect(killer.deeds).toHaveLength(1);
      await isAt(fleet, "3.0.0");
      expect((await outagesOf(fleet.hosts)).map(({ node }) => node)).toEqual(["db2"]);
    },
    longMs,
  );
});

/** As the script can leave a stopped node. */
const halves: readonly (readonly [string, Faults])[] = [
  ["libcommon does not install", { install_fails: "libcommon" }],
  ["the server does not install", { install_fails: "server" }],
  ["the version file is not copied", { version_copy: "fails" }],
  ["all is done and nobody has started it", {}],
];

describe("each half, each way", () => {
  for (const [when, faults] of halves) {
    it(
      `${when}: finished`,
      async (context) => {
        skipUnlessFull(context);
        await leftHalfWay(faults);
        await play(await fleet.plan(), [halfWay]);
        await allIsWell(fleet);
      },
      longMs,
    );

    it(
      `${when}: put back`,
      async (context) => {
        skipUnlessFull(context);
        await leftHalfWay(faults);
        await play(await fleet.planPutBack(), [halfWay, onKept]);
        await isAt(fleet, "3.0.0");
        expect((await outagesOf(fleet.hosts)).map(({ node }) => node)).toEqual(["db2"]);
        // and whole: an upgrade finds nothing of it
        await play(await fleet.plan(), []);
        await isAt(fleet, toVersion);
        expect(overlaps(await outagesOf(fleet.hosts))).toEqual([]);
      },
      longMs,
    );
  }
});
