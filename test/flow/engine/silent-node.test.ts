/** A node that does not report: it is named, nothing is planned on a guess, and no other reason is given for it. */
import { expect, it } from "vitest";
import { VirtualClock } from "./virtual-clock.ts";
import { begun, versions, watching } from "./world/watching.ts";
import { World } from "./world/world.ts";

it("is why no plan is made", async () => {
  const world = new World(new VirtualClock());
  await world.begin();
  world.agents.get("db2")?.kill();
  const asked = world.plan();
  let made: Awaited<typeof asked> | undefined;
  void asked.then((outcome) => {
    made = outcome;
  });
  await world.clock.until(() => made !== undefined);
  expect(made).toMatchObject({ ok: false, failure: { code: "node.unreachable", facts: { node: "db2" } } });
});

it("is waited for before a grant, and what it does not say is not taken for drift", async () => {
  const { world, rollout } = await begun();
  let facts: Awaited<ReturnType<World["facts"]>> = [];
  const said = (kind: string) => {
    void world.facts(rollout).then((read) => {
      facts = read;
    });
    return facts.some((fact) => fact.kind === kind && "stage" in fact && fact.stage === "node-db2");
  };
  await world.clock.until(() => said("gate-passed"));
  world.agents.get("db3")?.kill();
  await world.clock.until(() => said("waited"));
  expect(facts.at(-1)).toMatchObject({ why: { code: "node.unreachable", facts: { node: "db3" } } });
  await world.settle(5_000);
  world.agents.get("db3")?.start();
  const { phase } = watching(world, rollout);
  await world.clock.until(() => phase() === "done");
  expect(versions(world)).toEqual(["2", "2", "2"]);
});
