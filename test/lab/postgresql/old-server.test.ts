// What is left of the old server when all is over: stopped and masked, a power cut does not bring it back, and its data goes when a
// person says so, not before its time.
import { afterEach, expect, it } from "vitest";
import { describeLongLab } from "../harness/index.ts";
import { MoveStory } from "./story.ts";

const caseMs = 580_000;
let story: MoveStory | undefined;

afterEach(async () => {
  await story?.[Symbol.asyncDispose]();
  story = undefined;
}, 60_000);

await describeLongLab("the old server of a move from 15 to 17", () => {
  it(
    "is stopped and masked, and loses its data after its days and by a person's word",
    async () => {
      story = await MoveStory.begin({
        name: "pg-old",
        old: 15,
        new: 17,
        settings: "old-data: remove, keep-old: 30s",
      });
      const { fleet } = story;
      await story.untilReady();
      await story.approve(8);
      expect(await story.writesOn(20)).toBe("new");
      await story.approve(8);
      const retiredAt = performance.now();
      const early = await fleet.cli("approve", fleet.clusterName);
      expect(early.code, early.stderr).not.toBe(0);
      expect(early.stderr).toContain("takes no answer before");
      await fleet.old.host.powerOff();
      await fleet.old.host.powerOn();
      await fleet.untilAttached();
      expect((await fleet.old.unitStanding()).trim().split(/\s+/)).toEqual(["masked", "inactive"]);
      const listed = () => fleet.old.host.must(["ls", "-A", fleet.old.dataFolder]);
      expect(await listed()).toContain("PG_VERSION");
      await new Promise((resolve) =>
        setTimeout(resolve, Math.max(0, 32_000 - performance.now() + retiredAt)),
      );
      await story.approve(0);
      expect(await listed()).toBe("");
      expect(await story.writesOn(20)).toBe("new");
      await story.prove("new");
    },
    caseMs,
  );
});
