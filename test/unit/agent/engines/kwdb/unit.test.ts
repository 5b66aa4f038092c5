import { describe, expect, it } from "vitest";
import { readUnit } from "#agent/engines/kwdb/unit.ts";
import type { Look } from "#agent/verb.ts";
import { fakeHost, lookOf } from "./fake-host.ts";

const running = "LoadState=loaded\nActiveState=active\nSubState=running\nMainPID=4711\nNeedDaemonReload=no\n";

async function read(look: Look) {
  const found = await readUnit(
    fakeHost(() => look),
    "kaiwudb",
  );
  return found.ok ? found.value : found.failure.code;
}

describe("the unit", () => {
  it.each<[string, string, object]>([
    ["runs", running, { loaded: true, active: "active", sub: "running", mainPid: 4_711, needsReload: false }],
    ["was edited", running.replace("Reload=no", "Reload=yes"), { needsReload: true }],
    [
      "is not there",
      "LoadState=not-found\nActiveState=inactive\nSubState=dead\nMainPID=0\nNeedDaemonReload=no\n",
      { loaded: false, mainPid: 0 },
    ],
    ["in another order", "MainPID=12\nLoadState=loaded\nSubState=a=b\n", { mainPid: 12, sub: "a=b" }],
    ["without its state", "MainPID=12\n", { loaded: false, active: "unknown", sub: "unknown" }],
  ])("%s", async (_, text, state) => {
    expect(await read(lookOf(text))).toMatchObject(state);
  });

  it.each<[string, Look]>([
    ["systemctl fails", lookOf(running, { exitCode: 1 })],
    ["systemctl is late", lookOf("", { exitCode: undefined, timedOut: true })],
    ["systemctl is not there", lookOf("", { exitCode: undefined, spawnError: "ENOENT" })],
    ["no MainPID is told: not running is not assumed", lookOf("LoadState=loaded\n")],
    ["MainPID is no number", lookOf("MainPID=none\n")],
    ["MainPID is empty", lookOf("MainPID=\n")],
  ])("is unknown when %s", async (_, look) => {
    expect(await read(look)).toBe("kwdb.unit-unknown");
  });
});
