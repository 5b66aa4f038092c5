/** Settings that need a restart, on a real server: what was written before comes back, and nothing else may be set. */

import pg from "pg";
import { afterEach, describe, expect, it } from "vitest";
import { restartingVerbs } from "#agent/engines/postgresql/restarting/verbs.ts";
import { postgresqlSettings } from "#agent/engines/postgresql/settings.ts";
import type { StepContext, ToolRequest } from "#agent/verb.ts";
import type { PostgresServer } from "#test/postgres/server.ts";
import { hostOf, run, serverOf, stopAll } from "./asked-server.ts";

afterEach(stopAll);

const wanted = { settings: JSON.stringify({ wal_level: "logical", max_wal_senders: "12" }) };

/** `mainPid`: of the unit, as systemd tells it. */
function desk({ port }: PostgresServer, { unit, mainPid = 0 }: { unit?: string; mainPid?: number } = {}) {
  const means = {
    settings: postgresqlSettings.parse({
      host: "127.0.0.1",
      port,
      user: "kw",
      tools: "/tools",
      ...(unit === undefined ? {} : { unit }),
    }),
  };
  const ran: ToolRequest[] = [];
  const context = {
    host: {
      ...hostOf(),
      look: async () => ({
        exitCode: 0,
        stdout: `LoadState=loaded\nActiveState=active\nMainPID=${mainPid}\nUnitFileState=enabled\n`,
        stderr: "",
      }),
    },
    signal: AbortSignal.timeout(30_000),
    rollout: "r1",
    tool: async (request: ToolRequest) => {
      ran.push(request);
      return { exitCode: 1, result: "exited", tail: "no such unit", runner: "" };
    },
  } as unknown as StepContext;
  const of = (name: string) => {
    const verb = restartingVerbs(means).find((each) => each.name === `postgresql.${name}`);
    if (verb === undefined) throw new Error(name);
    return verb;
  };
  return {
    ran,
    does: (name: string, args: object = {}) => of(name).run(context, of(name).args.parse(args)),
    probes: (name: string, args: object = {}) => of(name).probe?.(context, of(name).args.parse(args)),
    takes: (name: string, args: object) => of(name).args.safeParse(args).success,
  };
}

async function written(server: PostgresServer): Promise<readonly string[]> {
  const client = new pg.Client({ connectionString: server.urlOf("postgres") });
  await client.connect();
  try {
    const { rows } = await client.query(
      "SELECT name || '=' || setting AS line FROM pg_file_settings WHERE sourcefile LIKE '%auto.conf' ORDER BY 1",
    );
    return rows.map(({ line }) => line);
  } finally {
    await client.end();
  }
}

describe("settings that need a restart", () => {
  it("are written, and what stood there before comes back", async () => {
    const server = await serverOf(17);
    await run(server, "postgres", "ALTER SYSTEM SET max_wal_senders = 7");
    const { does, probes } = desk(server);
    expect(await probes("write-settings", wanted)).toMatchObject({ state: "not-done" });
    expect(await does("write-settings", wanted)).toMatchObject({ result: "done" });
    expect(await written(server)).toEqual(["max_wal_senders=12", "wal_level=logical"]);
    expect(await probes("write-settings", wanted)).toMatchObject({ state: "done" });
    // a second try does not take ours for what was there before
    await does("write-settings", wanted);
    expect(await probes("restore-settings")).toMatchObject({ state: "not-done" });
    expect(await does("restore-settings")).toMatchObject({ result: "done" });
    expect(await written(server)).toEqual(["max_wal_senders=7"]);
    expect(await probes("restore-settings")).toMatchObject({ state: "done" });
  });

  it("are put back by nobody who has not written them", async () => {
    const server = await serverOf(15);
    await run(server, "postgres", "ALTER SYSTEM SET max_wal_senders = 7");
    await desk(server).does("restore-settings", { of: "another" });
    expect(await written(server)).toEqual(["max_wal_senders=7"]);
  });

  it("bring no restart where they are in force, and one by the unit of the agent's file where not", async () => {
    const server = await serverOf(17);
    const { does, ran } = desk(server, { unit: "postgresql@17-main", mainPid: server.pid });
    const there = { settings: JSON.stringify({ wal_level: "logical" }) };
    expect(await does("restart-server", there)).toMatchObject({ result: "done" });
    expect(ran).toEqual([]);
    expect(await does("restart-server", wanted)).toMatchObject({
      result: "failed",
      failure: { code: "postgresql.restart-failed" },
    });
    expect(ran.map(({ argv }) => argv)).toEqual([["systemctl", "restart", "postgresql@17-main"]]);
    expect(await desk(server).does("restart-server", wanted)).toMatchObject({
      failure: { code: "postgresql.restart-not-named" },
    });
  });

  it.each([
    ["a unit above several servers, which has no process", 0],
    ["the unit of another server", 1],
  ])("bring no restart of %s", async (_, mainPid) => {
    const { does, ran } = desk(await serverOf(17), { unit: "postgresql", mainPid });
    expect(await does("restart-server", wanted)).toMatchObject({
      result: "failed",
      failure: { code: "postgresql.unit-of-another", facts: { unit: "postgresql" } },
    });
    expect(ran).toEqual([]);
  });

  it("are waited for by a second life of the agent, which finds the server down in the middle of its restart", async () => {
    const server = await serverOf(17);
    const { does, ran } = desk(server, { unit: "postgresql@17-main", mainPid: server.pid });
    await does("write-settings", wanted);
    await does("restart-server", wanted);
    await server.kill();
    expect(await does("restart-server", wanted)).toMatchObject({
      failure: { code: "postgresql.restart-failed" },
    });
    expect(ran).toHaveLength(2);
  });

  it("are these alone, whatever a message says", async () => {
    const { takes } = desk(await serverOf(17));
    const takesOne = (settings: object) => takes("write-settings", { settings: JSON.stringify(settings) });
    expect(
      takesOne({ max_worker_processes: "24", shared_preload_libraries: "pg_stat_statements, pglogical" }),
    ).toBe(true);
    for (const settings of [
      { archive_command: "rm -rf /" },
      { wal_level: "minimal" },
      { max_wal_senders: "0" },
      { max_wal_senders: "1; DROP" },
      { shared_preload_libraries: "a'; --" },
      ["wal_level"],
    ])
      expect(takesOne(settings), JSON.stringify(settings)).toBe(false);
    expect(takes("write-settings", { settings: "not json" })).toBe(false);
    expect(takes("restart-server", { ...wanted, unit: "sshd" })).toBe(false);
  });
});
