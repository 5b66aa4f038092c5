/** The archive of a stopped node's data: whole, private, and the one from before kept. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
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

describe("the archive of a stopped node's data", () => {
  const label = { label: "db1-3.0.0-to-3.1.0" };
  const file = `/backup/${label.label}.tar`;

  async function withFolder(): Promise<{ readonly agent: KwdbDriver; readonly host: DemoHost }> {
    const host = await bench.host(old);
    mkdirSync(host.path("/backup"));
    writeFileSync(host.path("/var/lib/kaiwudb/data"), "first");
    return { host, agent: new KwdbDriver(host, bench.dir, { settings: { archiveDir: "/backup" } }) };
  }

  const dataIn = (host: DemoHost, name: string) =>
    execFileSync("tar", ["-xOf", host.path(name), "./data"], { encoding: "utf8" });

  it("is made whole, for no other eyes; one from before is kept beside it", async () => {
    const { agent, host } = await withFolder();
    expect((await agent.fullFacts()).archive).toMatchObject({
      value: { folder: "/backup", dataBytes: expect.any(Number) },
    });
    expect(await agent.run("archive-data", label)).toMatchObject({ result: "done", outputs: { file } });
    expect(dataIn(host, file)).toBe("first");
    expect(statSync(host.path(file)).mode & 0o777).toBe(0o600);
    expect(readdirSync(host.path("/backup"))).toEqual([path.basename(file)]);

    writeFileSync(host.path("/var/lib/kaiwudb/data"), "second");
    agent.attempt = 2;
    expect(await agent.run("archive-data", label)).toMatchObject({ outputs: { found: "archived before" } });
    expect(dataIn(host, file)).toBe("first");
    agent.attempt = 1;
    expect(await agent.outcome("archive-data", label)).toBe("done");
    expect([dataIn(host, file), dataIn(host, `${file}.before`)]).toEqual(["second", "first"]);
  });

  it("is not made without a folder, or where there is none", async () => {
    const plain = new KwdbDriver(await bench.host(old), bench.dir);
    expect(await plain.outcome("archive-data", label)).toBe("kwdb.archive-not-configured");
    const { agent, host } = await withFolder();
    rmSync(host.path("/backup"), { recursive: true });
    expect(await agent.outcome("archive-data", label)).toBe("file.unreadable");
    expect((await agent.fullFacts()).archive).toHaveProperty("unknown");
  });
});
