/** The archive of a stopped node's data: whole, private, and the one from before kept. */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
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
  const fileOf = (rollout: string) => `/backup/${label.label}-${rollout}.tar`;
  const file = fileOf("r1");

  async function withFolder(): Promise<{ readonly agent: KwdbDriver; readonly host: DemoHost }> {
    const host = await bench.host(old);
    mkdirSync(host.path("/backup"));
    return { host, agent: new KwdbDriver(host, bench.dir, { settings: { archiveDir: "/backup" } }) };
  }

  /** With this in the data folder. */
  async function archived({ host, agent }: Awaited<ReturnType<typeof withFolder>>, data: string) {
    writeFileSync(host.path("/var/lib/kaiwudb/data"), data);
    const result = await agent.run("archive-data", label);
    return result.result === "done" ? result.outputs : result.failure;
  }

  const dataIn = (host: DemoHost, name: string) =>
    execFileSync("tar", ["-xOf", host.path(name), "./data"], { encoding: "utf8" });

  it("is made whole, for no other eyes, and says which try has made it", async () => {
    const { agent, host } = await withFolder();
    expect((await agent.fullFacts()).archive).toMatchObject({
      value: { folder: "/backup", dataBytes: expect.any(Number) },
    });
    expect(await archived({ agent, host }, "first")).toEqual({ file, bytes: expect.any(String) });
    expect(dataIn(host, file)).toBe("first");
    const names = readdirSync(host.path("/backup"));
    expect(names.sort()).toEqual([path.basename(file), `${path.basename(file)}.json`]);
    for (const name of names) expect(statSync(host.path(`/backup/${name}`)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(host.path(`${file}.json`), "utf8"))).toEqual({
      rollout: "r1",
      stage: "node",
      attempt: 1,
      begunBefore: "nothing",
    });
  });

  it("of this try stays as it is when the agent comes back after its own death", async () => {
    const made = await withFolder();
    await archived(made, "first");
    expect(await archived(made, "second")).toMatchObject({ found: "archived before" });
    expect(dataIn(made.host, file)).toBe("first");
  });

  it("of an earlier try is the original once the upgrade has begun, and is made anew before", async () => {
    const made = await withFolder();
    await archived(made, "first");
    made.agent.attempt = 2;
    made.agent.begunBefore = "reversible";
    expect(await archived(made, "second")).not.toHaveProperty("found");
    expect([dataIn(made.host, file), dataIn(made.host, `${file}.before`)]).toEqual(["second", "first"]);
    made.agent.attempt = 3;
    made.agent.begunBefore = "irreversible";
    expect(await archived(made, "third")).toEqual({
      file,
      bytes: expect.any(String),
      found: "archived before",
    });
    expect(dataIn(made.host, file)).toBe("second");
  });

  it("of another rollout is not this one's, however often this one has tried, and stays", async () => {
    const made = await withFolder();
    await archived(made, "first");
    made.agent.rollout = "r2";
    made.agent.attempt = 2;
    expect(await archived(made, "second")).toEqual({ file: fileOf("r2"), bytes: expect.any(String) });
    expect([dataIn(made.host, file), dataIn(made.host, fileOf("r2"))]).toEqual(["first", "second"]);
  });

  it.each<readonly [string, (file: string) => void]>([
    ["without its origin", (origin) => rmSync(origin)],
    ["with an origin that is no JSON", (origin) => writeFileSync(origin, "{")],
    [
      "with another rollout's origin",
      (origin) =>
        writeFileSync(origin, '{"rollout":"r0","stage":"node","attempt":1,"begunBefore":"nothing"}'),
    ],
    [
      "with another stage's origin",
      (origin) => writeFileSync(origin, '{"rollout":"r1","stage":"x","attempt":1,"begunBefore":"nothing"}'),
    ],
  ])("%s is nobody's: made anew, and kept beside", async (_, spoil) => {
    const made = await withFolder();
    await archived(made, "first");
    spoil(made.host.path(`${file}.json`));
    expect(await archived(made, "second")).not.toHaveProperty("found");
    expect([dataIn(made.host, file), dataIn(made.host, `${file}.before`)]).toEqual(["second", "first"]);
  });

  it("that is gone when the upgrade has begun is made, and the rollout's end says that it is too late", async () => {
    const made = await withFolder();
    made.agent.attempt = 2;
    made.agent.begunBefore = "irreversible";
    const late = { "not-seen.old-data": expect.stringContaining("after an earlier try") };
    expect(await archived(made, "second")).toMatchObject(late);
    made.agent.attempt = 3;
    expect(await archived(made, "third")).toMatchObject({ found: "archived before", ...late });
  });

  it("is proven file by file: other content, another mode, a file that is gone, an archive cut short", async () => {
    const spoils: readonly (readonly [string, (host: DemoHost) => void])[] = [
      ["content", (host) => writeFileSync(host.path("/var/lib/kaiwudb/data"), "other")],
      ["mode", (host) => chmodSync(host.path("/var/lib/kaiwudb/data"), 0o755)],
      ["gone", (host) => rmSync(host.path("/var/lib/kaiwudb/data"))],
      ["archive", (host) => truncateSync(host.path(file), 600)],
    ];
    for (const [what, spoil] of spoils) {
      const made = await withFolder();
      await archived(made, "first");
      expect(await made.agent.outcome("prove-archive", label), what).toBe("done");
      spoil(made.host);
      expect(await made.agent.outcome("prove-archive", label), what).toBe("kwdb.archive-differs");
    }
  });

  it("is not proven where it is not there or another rollout's, and was proven before where the upgrade has begun", async () => {
    const made = await withFolder();
    expect(await made.agent.outcome("prove-archive", label)).toBe("kwdb.archive-missing");
    await archived(made, "first");
    made.agent.rollout = "r2";
    expect(await made.agent.outcome("prove-archive", label)).toBe("kwdb.archive-missing");
    made.agent.rollout = "r1";
    made.agent.attempt = 2;
    made.agent.begunBefore = "irreversible";
    writeFileSync(made.host.path("/var/lib/kaiwudb/data"), "of the new version");
    expect(await made.agent.run("prove-archive", label)).toMatchObject({
      outputs: { found: "proven before" },
    });
  });

  it("keeps holes as holes and attributes as they are", async () => {
    const made = await withFolder();
    const big = made.host.path("/var/lib/kaiwudb/sparse");
    writeFileSync(big, "");
    truncateSync(big, 64 * 1024 * 1024);
    await archived(made, "first");
    expect(statSync(made.host.path(file)).size).toBeLessThan(8 * 1024 * 1024);
    expect(await made.agent.outcome("prove-archive", label)).toBe("done");
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
