import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { jetStreamAnswers } from "#coordinator/nats/answers.ts";
import { type EmbeddedNats, type EmbeddedOptions, startEmbedded } from "#coordinator/nats/embedded.ts";
import { withoutToken } from "#coordinator/nats/server-address.ts";
import { openStore } from "#coordinator/nats/store.ts";
import { systemClock } from "#proto/common/clock.ts";
import { events, texts } from "./event-log-cases.ts";
import { natsBinary } from "./server.ts";

let folder: string;
let started: EmbeddedNats[];

const start = async (extra: Partial<EmbeddedOptions> = {}): Promise<EmbeddedNats> => {
  const options = { binary: natsBinary(), folder, clock: systemClock, startLimitMs: 20_000, ...extra };
  const embedded = await startEmbedded(options);
  started.push(embedded);
  return embedded;
};
/** What a crash leaves: the server runs, and nobody looks after it. */
const crashed = async (): Promise<{ readonly pid: number; readonly url: string }> => {
  const starter = new URL("./starter.ts", import.meta.url).pathname;
  const coordinator = spawn(process.execPath, ["--import", "tsx", starter, natsBinary(), folder]);
  const told = await new Promise<string>((resolve) => coordinator.stdout.once("data", resolve));
  const gone = new Promise((resolve) => coordinator.once("exit", resolve));
  coordinator.kill("SIGKILL");
  await gone;
  return JSON.parse(String(told)) as { readonly pid: number; readonly url: string };
};
const runs = (pid: number): boolean => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockkeeper-embedded-"));
  started = [];
});

afterEach(async () => {
  await Promise.all(started.map((each) => each.stop()));
  rmSync(folder, { recursive: true, force: true });
});

describe("the coordinator's own NATS server", () => {
  it("listens on loopback only, syncs every write, and says in its folder where it is", async () => {
    const { url, pid } = await start();
    expect(url).toMatch(/^nats:\/\/[0-9a-f]{48}@127\.0\.0\.1:\d+$/);
    expect(readFileSync(join(folder, "nats.conf"), "utf8")).toContain("sync_interval: always");
    expect(JSON.parse(readFileSync(join(folder, "running.json"), "utf8"))).toMatchObject({
      url: withoutToken(url),
      pid: pid(),
    });
    await jetStreamAnswers(url);
  });

  it("ends when it is told to, and its data is there at the next start", async () => {
    const first = await start();
    await using store = await openStore({ servers: [first.url], replicas: 1, timeoutMs: 2_000 });
    await (await store.log("KEPT", "kept", texts)).append("r", events(1, 3), 0);
    await first.stop();
    expect(runs(first.pid())).toBe(false);
    const second = await start();
    expect(second.adopted).toBe(false);
    await using again = await openStore({ servers: [second.url], replicas: 1, timeoutMs: 2_000 });
    expect(await (await again.log("KEPT", "kept", texts)).read("r")).toEqual(events(1, 3));
  });

  it("answers nobody who has not read its token, which only its own user can", async () => {
    const embedded = await start();
    const open = withoutToken(embedded.url);
    expect(open).not.toBe(embedded.url);
    await expect(jetStreamAnswers(open)).rejects.toThrow(/authorization/i);
    await jetStreamAnswers(embedded.url);
    for (const name of ["token", "nats.conf"]) expect(statSync(join(folder, name)).mode & 0o077).toBe(0);
    expect(readFileSync(join(folder, "running.json"), "utf8")).not.toContain(
      readFileSync(join(folder, "token"), "utf8"),
    );
  });

  it("is adopted after a crash, also when nothing was written down and the folder is named otherwise", async () => {
    const left = await crashed();
    expect(runs(left.pid)).toBe(true);
    rmSync(join(folder, "running.json"));
    const link = join(tmpdir(), `lockkeeper-link-${process.pid}`);
    symlinkSync(folder, link);
    const again = await start({ folder: link });
    rmSync(link);
    expect(again.adopted).toBe(true);
    expect(again.pid()).toBe(left.pid);
    expect(again.url).toBe(left.url);
    await again.stop();
    // our own child until this process has collected it
    await expect.poll(() => runs(left.pid)).toBe(false);
  });

  it("is not adopted when it does not answer: it is ended, and another opens the store", async () => {
    const { pid } = await crashed();
    process.kill(pid, "SIGSTOP");
    const again = await start({ startLimitMs: 1_500 });
    expect(again.adopted).toBe(false);
    expect(runs(pid)).toBe(false);
  }, 40_000);

  it("leaves alone a process that only has the pid of the one that is gone", async () => {
    const first = await start();
    await first.stop();
    const stranger = spawn("sleep", ["60"]);
    writeFileSync(join(folder, "running.json"), JSON.stringify({ pid: stranger.pid, port: 1 }));
    const again = await start();
    expect(again.pid()).not.toBe(stranger.pid);
    expect(stranger.exitCode).toBeNull();
    stranger.kill("SIGKILL");
  });

  it("comes back on its port when it dies", async () => {
    const told: unknown[] = [];
    const embedded = await start({ trouble: (cause) => told.push(cause) });
    const { url } = embedded;
    const dead = embedded.pid();
    process.kill(dead, "SIGKILL");
    await vi.waitUntil(() => embedded.pid() !== dead, { timeout: 15_000 });
    expect(embedded.url).toBe(url);
    expect(told).toEqual(["died"]);
    await jetStreamAnswers(url);
  });

  it("is tried again when its port is taken for a while", async () => {
    const told: unknown[] = [];
    const embedded = await start({ trouble: (cause) => told.push(cause), startLimitMs: 5_000 });
    const dead = embedded.pid();
    const port = Number(new URL(embedded.url.replace("nats:", "http:")).port);
    process.kill(dead, "SIGKILL");
    const thief = await occupy(port);
    await vi.waitUntil(() => told.length >= 2, { timeout: 15_000 });
    expect(told[1]).toMatchObject({ code: "nats.not-started" });
    await new Promise((resolve) => thief.close(resolve));
    await vi.waitUntil(() => embedded.pid() !== dead, { timeout: 20_000 });
    await jetStreamAnswers(embedded.url);
  });

  it("says why it did not start, and leaves no process behind", async () => {
    mkdirSync(join(folder, "store"), { recursive: true });
    await expect(start({ binary: "/does/not/exist" })).rejects.toMatchObject({
      failure: { code: "nats.not-started" },
    });
    await expect(start({ binary: "/bin/false" })).rejects.toMatchObject({
      failure: { code: "nats.not-started", facts: { binary: "/bin/false" } },
    });
    await expect(start({ startLimitMs: 0 })).rejects.toMatchObject({ failure: { code: "nats.not-started" } });
    const again = await start();
    expect(again.adopted).toBe(false);
  });
});

async function occupy(port: number): Promise<Server> {
  for (;;) {
    const server = createServer((socket) => socket.destroy());
    const taken = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (taken) return server;
  }
}
