import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { hostFacts } from "#agent/engines/kwdb/host-facts.ts";
import { readBinary } from "#agent/engines/kwdb/program.ts";
import { takeUntil } from "#agent/engines/measure.ts";
import { fakeHost, lookOf } from "./fake-host.ts";
import { onHost } from "./installation.ts";

type Fake = ReturnType<typeof fakeHost>;

function put(host: Fake, path: string, text: string): void {
  mkdirSync(dirname(host.path(path)), { recursive: true });
  writeFileSync(host.path(path), text);
}

const environment = "/etc/kaiwudb/script/kaiwudb_env";
const factsOf = (host: Fake) => hostFacts(onHost(host), takeUntil(host, new AbortController().signal));

function systemctl(states: Readonly<Record<string, string>>) {
  const blocks = Object.entries(states).map(([id, state]) => `Id=${id}\nActiveState=${state}\n`);
  return fakeHost(([tool]) => lookOf(tool === "systemctl" ? blocks.join("\n") : ""));
}

describe("the host's facts", () => {
  it("name the timers and agents that are at work", async () => {
    const host = systemctl({
      "apt-daily.timer": "active",
      "apt-daily-upgrade.timer": "activating",
      "puppet.service": "inactive",
      "unattended-upgrades.service": "failed",
      "dnf-automatic.timer": "deactivating",
    });
    expect((await factsOf(host)).meddlers).toMatchObject({
      value: ["apt-daily.timer", "apt-daily-upgrade.timer"],
    });
  });

  it("do not take silence of systemctl for a host without timers", async () => {
    const host = fakeHost(() => lookOf("", { exitCode: 1 }));
    expect((await factsOf(host)).meddlers).toMatchObject({ unknown: { code: "look.failed" } });
  });

  it.each([
    ["no file, as on hosts of early versions", undefined, { value: false }],
    ["no flag", 'KAIWUDB_START_ARG=""\n', { value: false }],
    ["the flag", 'KAIWUDB_START_ARG="--upgrade-complete"\n', { value: true }],
  ])("tell what an upgrade by hand has left: %s", async (_, text, found) => {
    const host = fakeHost();
    if (text !== undefined) put(host, environment, text);
    expect((await factsOf(host)).upgradeCompleteFlag).toMatchObject(found);
  });

  it("do not say that a file which cannot be read is not there", async () => {
    const host = fakeHost();
    mkdirSync(host.path(environment), { recursive: true });
    const facts = await factsOf(host);
    expect(facts.upgradeCompleteFlag).toHaveProperty("unknown");
    expect(facts.configurationSha256).toHaveProperty("unknown");
  });

  it("hash the files that decide how it starts; one that is not there is so noted", async () => {
    const host = fakeHost();
    put(host, environment, "x");
    expect((await factsOf(host)).configurationSha256).toMatchObject({
      value: {
        [environment]: "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
        "/etc/kaiwudb/info/NODE": "absent",
      },
    });
  });
});

describe("the binary on disk", () => {
  const path = "/usr/local/kaiwudb/bin/kwbase";

  it.each([
    ["does not run", lookOf("", { exitCode: 127, stderr: "libcommon.so: not found" }), "kwdb.binary-missing"],
    ["hangs", lookOf("", { exitCode: undefined, timedOut: true }), "kwdb.binary-missing"],
    ["is not there", lookOf("", { exitCode: undefined, spawnError: "ENOENT" }), "kwdb.binary-missing"],
    ["says something else", lookOf("hello\n"), "kwdb.binary-mute"],
  ])("that %s has no version", async (_, look, code) => {
    const host = fakeHost(() => look);
    put(host, path, "binary");
    expect(await readBinary(host, path)).toMatchObject({ ok: false, failure: { code } });
  });
});

describe("taking measurements", () => {
  it("leaves out what is late, and the others stand", async () => {
    const limit = new AbortController();
    const take = takeUntil(fakeHost(), limit.signal);
    const never = take(() => new Promise<never>(() => undefined));
    const quick = await take(() => Promise.resolve({ ok: true, value: 1 }));
    limit.abort();
    expect(quick).toHaveProperty("value", 1);
    expect(await never).toMatchObject({ unknown: { code: "measure.limit-passed" } });
  });

  it("says why when the work throws", async () => {
    const take = takeUntil(fakeHost(), new AbortController().signal);
    expect(await take(() => Promise.reject(new Error("EIO")))).toMatchObject({
      unknown: { code: "measure.failed", facts: { cause: "EIO" } },
    });
  });
});
