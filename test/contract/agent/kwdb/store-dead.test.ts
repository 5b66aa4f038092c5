/** server.time_until_store_dead against the stand-in's own SQL: raised for a while, and back to the letter. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startCluster } from "#test/doubles/host/cluster.ts";
import type { DemoHost } from "#test/doubles/host/create-host.ts";
import type { Bench } from "../../kwdb-double/fixture.ts";
import { KwdbDriver } from "./driver.ts";
import { packages } from "./packages.ts";

const setting = "server.time_until_store_dead";
let bench: Bench;
let hosts: readonly DemoHost[];

beforeAll(async () => {
  const { bench: made, old } = await packages();
  bench = made;
  hosts = await bench.hosts(old, ["db1", "db2", "db3"], 0.1);
  await startCluster(hosts);
}, 90_000);
afterAll(() => bench.end());

function host(at: number): DemoHost {
  const found = hosts[at];
  if (found === undefined) throw new Error("no host");
  return found;
}

async function sql(statement: string): Promise<string> {
  const { options } = host(0);
  const words = [
    "sql",
    "--insecure",
    `--host=127.0.0.1:${options.ports.sql}`,
    "--format=csv",
    "-e",
    statement,
  ];
  const ran = await host(0).run(host(0).path("/usr/local/kaiwudb/bin/kwbase"), words);
  return ran.stdout;
}

/** Empty: it is not set. */
const ownValue = async () =>
  (await sql(`SELECT name, value FROM system.settings WHERE name = '${setting}'`)).trim().split("\n")[1] ??
  "";
const raising = { to: "3h", was: "30m0s" };

describe("the time after which a store is given up", () => {
  let agent: KwdbDriver;
  const kept = () => path.join(agent.stateDir, "store-dead.json");

  beforeEach(async () => {
    await sql(`RESET CLUSTER SETTING ${setting}`);
    agent = new KwdbDriver(host(1), bench.dir);
  });

  it("that was never set is raised, kept beside, and not set any more afterwards", async () => {
    expect(await agent.run("raise-store-dead", raising)).toMatchObject({
      outputs: { was: "not set", to: "3h" },
    });
    expect(await ownValue()).toBe(`${setting},3h0m0s`);
    expect(JSON.parse(readFileSync(kept(), "utf8"))).toEqual({
      ...{ format: 1, rollout: "r1", was: null, raisedTo: "3h" },
    });
    expect(await agent.probe("raise-store-dead", raising)).toMatchObject({ state: "done" });
    expect((await agent.fullFacts()).storeDeadRaised).toMatchObject({ value: { was: null, raisedTo: "3h" } });
    expect(await agent.outcome("put-back-store-dead")).toBe("done");
    await expect.poll(ownValue).toBe("");
    expect(await agent.probe("put-back-store-dead")).toMatchObject({ state: "done" });
    expect((await agent.fullFacts()).storeDeadRaised).toMatchObject({ value: null });
  });

  it("that an operator has set comes back exactly, whatever was tried in between", async () => {
    await sql(`SET CLUSTER SETTING ${setting} = '41m7s'`);
    await agent.run("raise-store-dead", raising);
    // a retry, and one of a later rollout that found it raised
    agent.attempt = 2;
    expect(await agent.run("raise-store-dead", raising)).toMatchObject({ outputs: { was: "41m7s" } });
    agent.rollout = "r2";
    expect(await agent.run("raise-store-dead", { to: "6h", was: "3h0m0s" })).toMatchObject({
      outputs: { was: "41m7s", to: "6h" },
    });
    expect(await agent.outcome("put-back-store-dead")).toBe("done");
    await expect.poll(ownValue).toBe(`${setting},41m7s`);
  });

  it("that another node has left raised is put back to what the plan has seen", async () => {
    await agent.run("raise-store-dead", { to: "3h", was: "41m7s" });
    const other = new KwdbDriver(host(2), bench.dir);
    expect(await other.probe("raise-store-dead", { to: "3h", was: "41m7s" })).toEqual({ state: "not-done" });
    await other.run("raise-store-dead", { to: "3h", was: "41m7s" });
    await other.run("put-back-store-dead");
    await expect.poll(ownValue).toBe(`${setting},41m7s`);
    expect(await agent.run("put-back-store-dead")).toMatchObject({ outputs: { found: "it is 41m7s" } });
  });

  it("that somebody has set meanwhile is theirs", async () => {
    await agent.run("raise-store-dead", raising);
    await sql(`SET CLUSTER SETTING ${setting} = '2h'`);
    await expect.poll(ownValue).toBe(`${setting},2h0m0s`);
    expect(await agent.run("put-back-store-dead")).toMatchObject({ outputs: { found: "it is 2h0m0s" } });
    expect(await ownValue()).toBe(`${setting},2h0m0s`);
    // and is the original of the next
    expect(await agent.run("raise-store-dead", raising)).toMatchObject({ outputs: { was: "2h0m0s" } });
  });

  it("that is higher already is left alone", async () => {
    await sql(`SET CLUSTER SETTING ${setting} = '5h'`);
    await expect.poll(async () => (await agent.run("raise-store-dead", raising)).result).toBe("done");
    expect(await agent.run("put-back-store-dead")).toMatchObject({
      outputs: { found: "nothing was raised from here" },
    });
    expect(await ownValue()).toBe(`${setting},5h0m0s`);
  });

  it("is not raised over a note that cannot be read, and still raised is told at the end", async () => {
    await agent.run("raise-store-dead", raising);
    expect(await agent.run("report-store-dead", raising)).toMatchObject({
      outputs: {
        [`not-seen.${setting}`]: expect.stringContaining(`SET CLUSTER SETTING ${setting} = '30m0s'`),
      },
    });
    writeFileSync(kept(), "{");
    expect(await agent.outcome("raise-store-dead", raising)).toBe("kwdb.store-dead-kept-unreadable");
    expect(await agent.probe("put-back-store-dead")).toMatchObject({ state: "unknown" });
    await sql(`RESET CLUSTER SETTING ${setting}`);
    await expect
      .poll(async () => JSON.stringify(await agent.run("report-store-dead", raising)))
      .not.toContain("not-seen");
  });
});
