// The fleet that every PostgreSQL upgrade of the lab begins with: two servers, their agents, one coordinator.
import { expect, it } from "vitest";
import type { FleetView } from "#coordinator/domain/views.ts";
import { describeLongLab, until } from "../harness/index.ts";
import { newCluster, nodes, oldCluster, PgFleet } from "./fleet.ts";

async function attached(fleet: PgFleet): Promise<Readonly<Record<string, readonly string[]>>> {
  const { clusters } = await fleet.json<FleetView>("node", "list");
  const names = clusters.map((cluster) => [
    cluster.name,
    cluster.nodes.filter((node) => node.attached).map(({ name }) => name),
  ]);
  return Object.fromEntries(names) as Record<string, readonly string[]>;
}

await describeLongLab("a fleet of two PostgreSQL servers", () => {
  it("has two clusters of one node each, whose agents come back from their own and their host's death", async () => {
    await using fleet = await PgFleet.start({ name: "pg-fleet", old: 15, new: 17 });
    const whole = { [oldCluster]: [nodes.old], [newCluster]: [nodes.new] };
    expect(await attached(fleet)).toEqual(whole);
    await fleet.old.powerOff();
    await fleet.kill("agent", fleet.new.host);
    await until("the host is missed", async () => (await attached(fleet))[oldCluster]?.length === 0, 60_000);
    await fleet.old.powerOn();
    await fleet.untilAttached();
    expect(await attached(fleet)).toEqual(whole);
  });
});
