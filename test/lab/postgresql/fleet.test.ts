// The fleet that every PostgreSQL upgrade of the lab begins with: two servers, their agents, one coordinator.
import { expect, it } from "vitest";
import { engineKinds } from "#agent/engines/index.ts";
import { describeLongLab } from "../harness/index.ts";
import { newCluster, nodes, oldCluster, PgFleet } from "./fleet.ts";

const lack = async () =>
  engineKinds.some(({ engine }) => engine === "postgresql") ? undefined : "agents serve no PostgreSQL yet";

await describeLongLab(
  "a fleet of two PostgreSQL servers",
  () => {
    it("has an agent on each that comes back with its host, and two clusters that are free", async () => {
      await using fleet = await PgFleet.start({ name: "pg-fleet", old: 15, new: 17 });
      for (const cluster of [oldCluster, newCluster])
        expect(await fleet.lock(cluster)).toMatchObject({ cluster, state: "free" });
      const listed = await fleet.must("node", "list");
      for (const node of Object.values(nodes)) expect(listed).toContain(node);
      await fleet.old.powerOff();
      await fleet.old.powerOn();
      await fleet.untilAttached();
    });
  },
  lack,
);
