// A cut-over through pglogical whose agents and coordinator are killed in the middle of it: it goes on by itself, or stops with a command
// that goes on; no row is lost, and nothing is left.
import { afterEach, expect, it } from "vitest";
import { describeLongLab, until } from "../harness/index.ts";
import { AgentWatch } from "../product/agent-watch.ts";
import { typePrinted } from "../product/typed.ts";
import { everythingLeftOn, shop, throughPglogical } from "./pglogical-story.ts";
import { MoveStory } from "./story.ts";

const caseMs = 580_000;
let story: MoveStory | undefined;

afterEach(async () => {
  await story?.[Symbol.asyncDispose]();
  story = undefined;
}, 60_000);

/** Where pglogical's own steps begin, and what stands around them. */
const moments = {
  old: [
    "fence-writes started",
    "drain-forward started",
    "measure started",
    "subscribe-back started",
    "unpublish-forward started",
  ],
  new: [
    "set-sequences started",
    "pause-subscriptions-forward started",
    "make-slots-back started",
    "open-writes started",
    "unsubscribe-forward started",
  ],
};

await describeLongLab("a cut-over through pglogical, 15 to 17", () => {
  it(
    "whose agents are killed at ten moments, and the coordinator at one, comes to its end with every row",
    async () => {
      story = await MoveStory.begin(throughPglogical("pg-pglogical-kill"), shop);
      const { fleet, rollout } = await readied(story);
      await using ofOld = await AgentWatch.killingAt(fleet.old.host, moments.old);
      await using ofNew = await AgentWatch.killingAt(fleet.new.host, moments.new);
      const approved = fleet.longCli(400_000, "approve", rollout);
      await until("an agent was killed", async () => (await ofNew.deeds()).length > 0, 120_000);
      await fleet.kill("coordinator", fleet.new.host);
      await fleet.startCoordinator();
      await approved;
      const stops = await untilSoak(story);
      const deeds = [...(await ofOld.deeds()), ...(await ofNew.deeds())];
      console.log(
        `${deeds.length} kills of agents: ${deeds.join(", ")}; stops: ${stops.join("; ") || "none"}`,
      );
      expect(deeds.sort()).toEqual([...moments.old, ...moments.new].sort());
      expect(await story.writesOn(50)).toBe("new");
      await story.approve(0);
      await story.prove("new");
      expect(await fleet.new.sql("shop", "SELECT nextval('free')")).toBe("46");
      await fleet.old.takeBack();
      for (const server of [fleet.old, fleet.new]) expect(await everythingLeftOn(server)).toEqual([]);
    },
    caseMs,
  );
});

async function readied(begun: MoveStory): Promise<Pick<MoveStory, "fleet" | "rollout">> {
  await begun.untilReady();
  return { fleet: begun.fleet, rollout: begun.rollout };
}

/** Types what is printed whenever it stops; answers with why it did. */
async function untilSoak({ fleet }: MoveStory): Promise<readonly string[]> {
  const stops: string[] = [];
  for (;;) {
    await until(
      "the rollout rests",
      async () => ["waiting", "stopped"].includes((await fleet.rollout()).phase),
      300_000,
    );
    const { phase, stop } = await fleet.rollout();
    if (phase === "waiting" || stops.length > 5) return stops;
    stops.push(`${stop?.stage}: ${stop?.why.code}`);
    await typePrinted(fleet);
  }
}
