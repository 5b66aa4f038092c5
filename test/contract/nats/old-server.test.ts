/**
 * The same contract on Debian 12's own nats-server, 2.9.10, which `doctor` refuses for production: the protocol
 * needs nothing newer, and these are the promises that this version cannot give.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Kvm } from "@nats-io/kv";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startEmbedded } from "#coordinator/nats/embedded.ts";
import { type NatsStore, openStore } from "#coordinator/nats/store.ts";
import { systemClock } from "#proto/common/clock.ts";
import { documentCases, sheets } from "./document-cases.ts";
import { eventLogCases, texts } from "./event-log-cases.ts";
import { registerCases, values } from "./register-cases.ts";
import { natsBinary, type Servers, startPlain } from "./server.ts";

let old: Servers;
let store: NatsStore;
let opened = 0;

beforeAll(async () => {
  old = await startPlain("bookworm");
  store = await openStore({ servers: old.urls, replicas: 1, timeoutMs: 2_000 });
});

afterAll(async () => {
  await store?.[Symbol.asyncDispose]();
  await old?.[Symbol.asyncDispose]();
});

registerCases("on 2.9.10", () => {
  opened += 1;
  return store.register(`register-${opened}`, values);
});
eventLogCases("on 2.9.10", async () => {
  opened += 1;
  const open = () => store.log(`LOG${opened}`, `log${opened}`, texts);
  return [await open(), await open()];
});
documentCases("on 2.9.10", () => {
  opened += 1;
  return store.documents(`documents-${opened}`, sheets);
});

describe("what 2.9.10 cannot promise", () => {
  it("is the version that it says", () => {
    expect(store.serverVersion).toBe("2.9.10");
  });

  it("that a write was synced before it was acknowledged: it does not know sync_interval", () => {
    const folder = mkdtempSync(join(tmpdir(), "lockkeeper-old-"));
    const file = join(folder, "nats.conf");
    writeFileSync(file, `jetstream { store_dir: "${folder}", sync_interval: always }\n`);
    const checked = spawnSync(natsBinary("bookworm"), ["-t", "-c", file], {
      encoding: "utf8",
      timeout: 10_000,
    });
    rmSync(folder, { recursive: true });
    expect(checked.status).not.toBe(0);
    expect(`${checked.stdout}${checked.stderr}`).toContain("sync_interval");
  });

  it("so the coordinator's own server is never one of these", async () => {
    const folder = mkdtempSync(join(tmpdir(), "lockkeeper-old-"));
    const starting = startEmbedded({
      binary: natsBinary("bookworm"),
      folder,
      clock: systemClock,
      startLimitMs: 10_000,
    });
    await expect(starting).rejects.toMatchObject({ failure: { code: "nats.not-started" } });
    rmSync(folder, { recursive: true });
  });

  it("that a key expires by itself: it takes the wish and forgets it", async () => {
    const kv = await new Kvm(store.connection).create("expiring");
    await kv.create("k", "v", "1s").catch((error: unknown) => expect(String(error)).toContain("ttl"));
    await systemClock.sleep(2_500);
    expect((await kv.get("k"))?.string()).toBe("v");
  });
});
