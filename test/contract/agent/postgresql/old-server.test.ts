/** An old server is put away by its own unit alone, and is said to be away when none lives in its folder. */
import { readdirSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { oldServerVerbs } from "#agent/engines/postgresql/old-server.ts";
import { postgresqlSettings } from "#agent/engines/postgresql/settings.ts";
import { markFolder } from "#agent/host/marks.ts";
import type { StepContext, ToolRequest } from "#agent/verb.ts";
import type { PostgresServer } from "#test/postgres/server.ts";
import { hostOf, run, serverOf, stopAll } from "./asked-server.ts";

afterEach(stopAll);

interface Unit {
  active: string;
  mainPid: number;
  isMasked: boolean;
}

const settingsOf = ({ port }: PostgresServer) =>
  postgresqlSettings.parse({ host: "127.0.0.1", port, user: "kw", tools: "/tools", unit: "postgresql" });

/** `stops`: what `systemctl stop` does beside bringing the unit down. */
function desk(server: PostgresServer, unit: Unit, { stops = async () => {}, limitMs = 30_000 } = {}) {
  const ordered: string[] = [];
  const context = {
    host: {
      ...hostOf(),
      look: async () => ({
        exitCode: 0,
        stdout: `LoadState=${unit.isMasked ? "masked" : "loaded"}\nActiveState=${unit.active}\nMainPID=${unit.mainPid}\nUnitFileState=enabled\n`,
        stderr: "",
      }),
    },
    signal: AbortSignal.timeout(limitMs),
    rollout: "r1",
    tool: async ({ argv: [, word = ""] }: ToolRequest) => {
      ordered.push(word);
      if (word === "stop") {
        await stops();
        Object.assign(unit, { active: "inactive", mainPid: 0 });
      }
      if (word === "start") Object.assign(unit, { active: "active" });
      if (word === "mask" || word === "unmask") unit.isMasked = word === "mask";
      return { exitCode: 0, result: "exited", tail: "", runner: "" };
    },
  } as unknown as StepContext;
  const verbs = oldServerVerbs({ settings: settingsOf(server) });
  const of = (name: string) => {
    const verb = verbs.find((each) => each.name === `postgresql.${name}`);
    if (verb === undefined) throw new Error(name);
    return verb;
  };
  return {
    ordered,
    notes: () => readdirSync(markFolder(context)),
    does: (name: string) => of(name).run(context, {}),
    probes: (name: string) => of(name).probe?.(context, {}),
  };
}

const serves = (server: PostgresServer) => run(server, "postgres", "SELECT 1");

describe("an old server", () => {
  it("is stopped and masked by its own unit, and comes back by it", async () => {
    const server = await serverOf(17);
    const unit = { active: "active", mainPid: server.pid, isMasked: false };
    const { does, probes, ordered, notes } = desk(server, unit, { stops: () => server.kill() });
    expect(await probes("put-away")).toMatchObject({ state: "not-done" });
    expect(await does("put-away")).toMatchObject({ result: "done" });
    expect(await probes("put-away")).toMatchObject({ state: "done" });
    expect(ordered).toEqual(["stop", "mask"]);
    expect(notes()).toEqual([]);
    expect(await does("take-back")).toMatchObject({ result: "done", outputs: { unit: "postgresql" } });
    expect(ordered).toEqual(["stop", "mask", "unmask", "start"]);
  });

  it.each([
    ["a unit above several servers", { active: "active", mainPid: 0, isMasked: false }],
    ["the unit of another server", { active: "active", mainPid: 1, isMasked: false }],
    [
      "a unit that is down already, since it was started by hand",
      { active: "inactive", mainPid: 0, isMasked: true },
    ],
  ])("is not put away by %s", async (_, unit) => {
    const server = await serverOf(17);
    const { does, probes, ordered } = desk(server, unit);
    expect(await probes("put-away")).toMatchObject({ state: "not-done" });
    expect(await does("put-away")).toMatchObject({
      result: "failed",
      failure: { code: "postgresql.unit-of-another", facts: { data: server.data, pid: String(server.pid) } },
    });
    expect(ordered).toEqual([]);
    await serves(server);
  });

  it("is not started again by the undo of a try that has stopped nothing", async () => {
    const server = await serverOf(17);
    const { does, ordered } = desk(server, { active: "inactive", mainPid: 0, isMasked: false });
    await does("put-away");
    expect(await does("take-back")).toMatchObject({ result: "done" });
    expect(ordered).toEqual([]);
  });

  it("is masked by the next try where the first one came no further than its stop", async () => {
    const server = await serverOf(17);
    const unit = { active: "active", mainPid: server.pid, isMasked: false };
    const { does, ordered, notes } = desk(server, unit, {
      stops: async () => {
        await server.kill();
        unit.active = "inactive";
        unit.mainPid = 0;
        if (ordered.length === 1) throw new Error("killed");
      },
    });
    await expect(does("put-away")).rejects.toThrow("killed");
    expect(await does("put-away")).toMatchObject({ result: "done" });
    expect(unit.isMasked).toBe(true);
    expect(notes()).toEqual([]);
  });

  it("is not away while a server lives in its folder, whatever became of the unit", async () => {
    const server = await serverOf(17);
    const unit = { active: "active", mainPid: server.pid, isMasked: false };
    const { does, ordered } = desk(server, unit, { limitMs: 3_000 });
    expect(await does("put-away")).toMatchObject({
      result: "failed",
      failure: { code: "postgresql.server-still-runs", facts: { data: server.data } },
    });
    expect(ordered).toEqual(["stop"]);
    await serves(server);
  });
});
