/** Data put back from an archive: the right one, whole, in the place of the present folder, which is kept. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
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

const label = "db1-3.0.0-to-3.1.0";
const archiveArgs = { label, cluster: "billing", node: "db1", from: "3.0.0", to: "3.1.0" };
const given = { label, rollout: "r1", stage: "node" };
const file = `/backup/${label}-r1.tar`;
const data = "/var/lib/kaiwudb";
const aside = `${data}.before-r2`;

interface Archived {
  readonly agent: KwdbDriver;
  readonly host: DemoHost;
  readonly read: (path: string) => string;
}

/** Archived with `old` in it; the folder then holds `new`, and the way back is rollout r2. */
async function archived(
  kind: "cluster-stop" | "node-image" = "cluster-stop",
  isProven = true,
): Promise<Archived> {
  const host = await bench.host(old);
  mkdirSync(host.path("/backup"));
  const agent = new KwdbDriver(host, bench.dir, { settings: { archiveDir: "/backup" } });
  writeFileSync(host.path(`${data}/rows`), "old");
  mkdirSync(host.path(`${data}/logs`));
  chmodSync(host.path(`${data}/logs`), 0o750);
  const args = { ...archiveArgs, kind };
  expect(await agent.outcome("archive-data", args)).toBe("done");
  if (isProven) expect(await agent.outcome("prove-archive", args)).toBe("done");
  writeFileSync(host.path(`${data}/rows`), "new");
  writeFileSync(host.path(`${data}/added`), "since");
  agent.rollout = "r2";
  return { agent, host, read: (path) => readFileSync(host.path(path), "utf8") };
}

const untouched = ({ host, read }: Archived) => {
  expect(read(`${data}/rows`)).toBe("new");
  expect(existsSync(host.path(aside))).toBe(false);
};

describe("data put back from an archive", () => {
  it("is as it was archived; the folder of before stands aside, and its place is told at the end", async () => {
    const { agent, host, read } = await archived();
    expect(await agent.outcome("prove-way-back", given)).toBe("done");
    expect(await agent.probe("restore-data", given)).toEqual({ state: "not-done" });
    expect(await agent.run("restore-data", given)).toMatchObject({
      result: "done",
      outputs: { file, aside, "not-seen.data-of-before": expect.stringContaining(aside) },
    });
    expect([read(`${data}/rows`), existsSync(host.path(`${data}/added`))]).toEqual(["old", false]);
    expect(statSync(host.path(`${data}/logs`)).mode & 0o777).toBe(0o750);
    expect([read(`${aside}/rows`), read(`${aside}/added`)]).toEqual(["new", "since"]);
    expect(await agent.probe("restore-data", given)).toMatchObject({ state: "done" });
    expect(await agent.outcome("restore-data", given)).toBe("done");
    expect(read(`${aside}/rows`)).toBe("new");
    expect(
      readdirSync(host.path("/var/lib"))
        .filter((name) => name.startsWith("kaiwudb"))
        .sort(),
    ).toEqual(["kaiwudb", "kaiwudb.before-r2"]);
  });

  it("goes on where it was cut short between the two renames, and unpacks nothing over it", async () => {
    const { agent, host, read } = await archived();
    expect(await agent.outcome("restore-data", given)).toBe("done");
    renameSync(host.path(data), host.path(`${data}.restored-r2`));
    expect(await agent.probe("restore-data", given)).toEqual({ state: "not-done" });
    writeFileSync(host.path(`${data}.restored-r2/mark`), "the proven copy");
    expect(await agent.outcome("restore-data", given)).toBe("done");
    expect([read(`${data}/rows`), read(`${aside}/rows`)]).toEqual(["old", "new"]);
    expect(read(`${data}/mark`)).toBe("the proven copy");
  });

  it("is on the disk before the present folder gives its place, and a disk that fails is told", async () => {
    const made = await archived();
    const { agent, host, read } = made;
    const log = host.path("/tmp/sync.log");
    const sync = (end: string) =>
      writeFileSync(
        host.path("/host-bin/sync"),
        `#!/bin/bash\necho "$1 $(cat "$2/rows") $(cat ${host.path(data)}/rows)" >>${log}\n${end}\n`,
        { mode: 0o755 },
      );
    sync("echo 'error syncing: Input/output error' >&2; exit 1");
    expect(await agent.run("restore-data", given)).toMatchObject({
      failure: { code: "kwdb.data-not-restored", facts: { cause: expect.stringMatching(/sync: .*Input/) } },
    });
    untouched(made);
    sync("exit 0");
    expect(await agent.outcome("restore-data", given)).toBe("done");
    expect(read("/tmp/sync.log")).toBe("-f old new\n-f old new\n");
  });

  it("is not said to be there because somebody made a folder of its name while it was put back", async () => {
    const { agent, host, read } = await archived();
    expect(await agent.outcome("restore-data", given)).toBe("done");
    // as a crash between the two renames leaves it, and what a start of the unit then makes
    rmSync(path.join(agent.stateDir, "restored"), { recursive: true });
    renameSync(host.path(data), host.path(`${data}.restored-r2`));
    mkdirSync(host.path(data));
    writeFileSync(host.path(`${data}/rows`), "empty");
    expect(await agent.probe("restore-data", given)).toEqual({ state: "not-done" });
    expect(await agent.outcome("restore-data", given)).toBe("kwdb.data-not-restored");
    expect([read(`${data}/rows`), read(`${data}.restored-r2/rows`)]).toEqual(["empty", "old"]);
  });

  it("is done only when that was written down, and nothing is unpacked to write it down", async () => {
    const { agent, host, read } = await archived();
    expect(await agent.outcome("restore-data", given)).toBe("done");
    rmSync(path.join(agent.stateDir, "restored"), { recursive: true });
    writeFileSync(host.path(`${data}/mark`), "the proven copy");
    expect(await agent.probe("restore-data", given)).toEqual({ state: "not-done" });
    expect(await agent.outcome("restore-data", given)).toBe("done");
    expect(await agent.probe("restore-data", given)).toMatchObject({ state: "done" });
    expect([read(`${data}/mark`), read(`${aside}/rows`)]).toEqual(["the proven copy", "new"]);
  });

  it("begins anew over what an earlier unpacking has left", async () => {
    const { agent, host, read } = await archived();
    mkdirSync(host.path(`${data}.restored-r2`));
    writeFileSync(host.path(`${data}.restored-r2/half`), "half");
    expect(await agent.outcome("restore-data", given)).toBe("done");
    expect([read(`${data}/rows`), existsSync(host.path(`${data}/half`))]).toEqual(["old", false]);
  });

  it.each<readonly [string, Parameters<typeof archived>, object, RegExp]>([
    ["of another stage", [], { stage: "other" }, /was made in node, not in other/],
    ["of one node, while the others went on", ["node-image"], {}, /the others? nodes? went on/],
    ["that was never proven", ["cluster-stop", false], {}, /never proven/],
  ])("is not taken from an archive %s", async (_, how, changed, why) => {
    const made = await archived(...how);
    for (const verb of ["prove-way-back", "restore-data"]) {
      expect(await made.agent.run(verb, { ...given, ...changed })).toMatchObject({
        failure: { code: "kwdb.archive-not-of-stop", facts: { why: expect.stringMatching(why) } },
      });
    }
    untouched(made);
  });

  it("is not taken from an archive of another rollout, nor from one made after the change had begun", async () => {
    const made = await archived();
    const record = made.host.path(`${file}.json`);
    const text = readFileSync(record, "utf8");
    for (const changed of [
      text.replace('"rollout": "r1"', '"rollout": "r9"'),
      text.replace('"begunBefore": "nothing"', '"begunBefore": "irreversible"'),
    ]) {
      expect(changed).not.toBe(text);
      writeFileSync(record, changed);
      expect(await made.agent.outcome("prove-way-back", given)).toBe("kwdb.archive-not-of-stop");
      expect(await made.agent.outcome("restore-data", given)).toBe("kwdb.archive-not-of-stop");
    }
    expect(await made.agent.outcome("restore-data", { ...given, rollout: "r5" })).toBe(
      "kwdb.archive-missing",
    );
    untouched(made);
  });

  it("is not taken from an archive that was changed since, whether its length tells or only its content", async () => {
    const made = await archived();
    const path = made.host.path(file);
    const bytes = readFileSync(path);
    const at = bytes.indexOf("old");
    bytes.write("bad", at);
    writeFileSync(path, bytes);
    expect(await made.agent.run("restore-data", given)).toMatchObject({
      failure: { code: "kwdb.archive-differs", facts: { cause: expect.stringContaining("rows: sha256") } },
    });
    untouched(made);
    truncateSync(path, bytes.length - 512);
    expect(await made.agent.outcome("prove-way-back", given)).toBe("kwdb.archive-differs");
    untouched(made);
  });

  it("is not put under a running database", async () => {
    const made = await archived();
    await made.host.run("systemctl", ["start", "kaiwudb"]);
    try {
      expect(await made.agent.outcome("restore-data", given)).toBe("kwdb.restore-of-running");
    } finally {
      await made.host.run("systemctl", ["stop", "kaiwudb"]);
    }
    expect(existsSync(made.host.path(aside))).toBe(false);
  });
});
