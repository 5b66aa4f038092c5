/** Left-overs of an online upgrade by hand, made by the stand-in as the vendor's database makes them, and mended. */
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startCluster } from "#test/doubles/host/cluster.ts";
import type { DemoHost } from "#test/doubles/host/create-host.ts";
import type { BuiltPackage } from "#test/doubles/kwdb/build-package.ts";
import type { Bench } from "../../kwdb-double/fixture.ts";
import { KwdbDriver } from "./driver.ts";
import { packages } from "./packages.ts";

let bench: Bench;
let old: BuiltPackage;
beforeAll(async () => {
  ({ bench, old } = await packages());
});
afterAll(() => bench.end());

const env = "/etc/kaiwudb/script/kaiwudb_env";
const dead = async (host: DemoHost) =>
  (await host.kwbase("sql", "--format=csv", "-e", "SHOW CLUSTER SETTING server.time_until_store_dead"))
    .stdout;

describe("a node that an online upgrade by hand has left marked", () => {
  it("is available again after one start with the flag, and everything else is as it was", async () => {
    const hosts = await bench.hosts(old, ["db1"], 0.3);
    await startCluster(hosts);
    const [host] = hosts;
    if (host === undefined) throw new Error("no host");
    const agent = new KwdbDriver(host, bench.dir);
    const kept = 'KAIWUDB_START_ARG="--cache=64MiB"\n';
    writeFileSync(host.path(env), kept);
    const { mode } = statSync(host.path(env));
    expect((await host.kwbase("node", "upgrade", "1")).code).toBe(0);
    expect(await dead(host)).toContain("3");
    await agent.run("stop");
    expect(await agent.probe("add-upgrade-flag")).toEqual({ state: "not-done" });
    expect(await agent.outcome("add-upgrade-flag")).toBe("done");
    expect(readFileSync(host.path(env), "utf8")).toContain('="--upgrade-complete --cache=64MiB"');
    expect(await agent.outcome("start")).toBe("done");
    const ready = { version: "3.0.0", waitMs: "30000", stableMs: "300" };
    expect(await agent.outcome("prove-ready", ready)).toBe("done");
    expect(await agent.outcome("clear-upgrade-flag")).toBe("done");
    expect([readFileSync(host.path(env), "utf8"), statSync(host.path(env)).mode]).toEqual([kept, mode]);
    expect((await agent.fullFacts()).upgradeCompleteFlag).toMatchObject({ value: false });
    const set = { to: "45m", was: "3h,30m" };
    expect(await agent.probe("set-store-dead", set)).toEqual({ state: "not-done" });
    expect(await agent.outcome("set-store-dead", set)).toBe("done");
    expect(await dead(host)).toContain("45");
    expect(await agent.probe("set-store-dead", set)).toMatchObject({ state: "done" });
    expect(await agent.outcome("set-store-dead", { to: "30m", was: "3h" })).toBe(
      "kwdb.store-dead-of-somebody",
    );
    expect(await dead(host)).toContain("45");
  });
});
