import { describe, expect, it } from "vitest";
import { subscriptionOf } from "#agent/engines/postgresql/pglogical/facts.ts";
import { followerOf } from "#coordinator/playbooks/postgresql/replication.ts";

const size = { tables: "5", bytes: "8192" };
const name = "lockkeeper_r1_8d9001d3";

function standing(status: string, copied: string, tables: Readonly<Record<string, number>> = {}) {
  const states = Object.entries(tables).map(([state, count]) => ({ state, tables: String(count) }));
  const enabled = String(status !== "disabled");
  const own = { ...subscriptionOf({ name, status, copied, enabled }, states, size), database: "shop" };
  const { standing: word, why, facts } = followerOf("new1", own);
  return [word, why?.code ?? "", `${facts["ready"]} of ${facts["tables"]}`];
}

describe("a subscription of pglogical, in the words of the server's own", () => {
  it.each([
    ["the first copy", "initializing", "d", {}, ["initializing", "", "0 of 5"]],
    ["all tables follow", "replicating", "r", { r: 3, y: 2 }, ["replicating", "", "5 of 5"]],
    ["one is copied anew", "replicating", "r", { r: 4, d: 1 }, ["initializing", "", "4 of 5"]],
    ["nothing was to be copied", "replicating", "r", {}, ["replicating", "", "0 of 0"]],
    ["it was paused", "disabled", "r", { r: 5 }, ["down", "postgresql.subscription-stopped", "5 of 5"]],
    ["its worker is away", "down", "r", { r: 5 }, ["down", "postgresql.subscription-down", "5 of 5"]],
    [
      "its worker was away from the start",
      "down",
      "i",
      {},
      ["down", "postgresql.subscription-down", "0 of 5"],
    ],
    ["its copy was cut", "down", "d", {}, ["down", "postgresql.pglogical-copy-cut", "0 of 5"]],
  ] as const)("%s", (_, status, copied, tables, told) => {
    expect(standing(status, copied, tables)).toEqual(told);
  });
});
