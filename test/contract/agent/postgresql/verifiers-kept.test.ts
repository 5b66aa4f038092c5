/** What servers log and count of statements, with everything switched on: no verifier of a role stands in it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import pg from "pg";
import { afterEach, describe, expect, it, vi } from "vitest";
import { client } from "#agent/engines/postgresql/client-tools.ts";
import { roleVerbs } from "#agent/engines/postgresql/loading-roles.ts";
import { scramVerifier } from "#agent/engines/postgresql/passfile.ts";
import { peerVerbs } from "#agent/engines/postgresql/peers.ts";
import { postgresqlSettings } from "#agent/engines/postgresql/settings.ts";
import type { StepContext, ToolRequest } from "#agent/verb.ts";
import { succeed } from "#proto/common/failure.ts";
import { postgresTools } from "#test/postgres/tools.ts";
import { hostOf, serverOf, stopAll } from "./asked-server.ts";

let folder = "";
afterEach(async () => {
  await stopAll();
  rmSync(folder, { recursive: true, force: true });
});

const curious = {
  shared_preload_libraries: "pg_stat_statements,auto_explain",
  "auto_explain.log_min_duration": "0",
  "pg_stat_statements.track": "all",
  debug_print_parse: "on",
  log_statement: "all",
  log_min_duration_statement: "0",
  log_min_error_statement: "debug5",
};

const since = {
  10: {},
  12: { log_transaction_sample_rate: "1" },
  18: { log_transaction_sample_rate: "1", log_min_duration_sample: "0", log_statement_sample_rate: "1" },
};

const [ofRoles = "", ofPeer = "", ofTool = ""] = ["roles", "peer", "tool"].map((each) => scramVerifier(each));

describe.each([10, 12, 18] as const)("PostgreSQL %i", (major) => {
  it("keeps none of what was loaded, of a peer, or of a client program's script", async () => {
    const server = await serverOf(major, { ...curious, ...since[major] });
    folder = mkdtempSync(path.join(tmpdir(), "lockkeeper-verifiers-"));
    const parcels: Readonly<Record<string, string>> = {
      roles: `CREATE ROLE app LOGIN PASSWORD '${ofRoles}';\n`,
      "verifier-forward": ofPeer,
    };
    for (const [name, text] of Object.entries(parcels)) writeFileSync(path.join(folder, name), text);
    const context = {
      host: hostOf(),
      signal: AbortSignal.timeout(40_000),
      rollout: "r1",
      parcels: {
        find: async (name: string) => succeed({ digest: name }),
        fetch: async (name: string) => succeed(path.join(folder, name)),
      },
      tool: async ({ argv: [program, ...words], env }: ToolRequest) => {
        const ran = await execa(program, words, { env: { ...env }, reject: false, all: true });
        return { exitCode: ran.exitCode, result: "exited", tail: ran.all, runner: "" };
      },
    } as unknown as StepContext;
    const { port } = server;
    const tools = await postgresTools();
    const means = { settings: postgresqlSettings.parse({ host: "127.0.0.1", port, user: "kw", tools }) };
    const holder = new pg.Client({ connectionString: server.url });
    holder.on("error", () => undefined);
    await holder.connect();
    // each waits for a while in its statement with the verifier
    const does = async (name: string, args: Readonly<Record<string, string>>) => {
      const verb = [...roleVerbs(means), ...peerVerbs(means)].find((each) => each.name.endsWith(name));
      await holder.query("BEGIN; LOCK TABLE pg_authid IN SHARE MODE");
      const ended = verb?.run(context, verb.args.parse(args));
      const waiting = "SELECT query FROM pg_stat_activity JOIN pg_locks USING (pid) WHERE NOT granted";
      await vi.waitFor(async () => expect((await holder.query(waiting)).rows).toHaveLength(1));
      const { rows } = await holder.query<{ query: string }>(waiting);
      expect(rows.filter(({ query }) => query.includes("SCRAM"))).toEqual([]);
      await holder.query("COMMIT");
      expect(await ended).toMatchObject({ result: "done" });
    };
    const asked = new pg.Client({ connectionString: server.url });
    asked.on("error", () => undefined);
    await asked.connect();
    await asked.query("CREATE EXTENSION pg_stat_statements");
    await asked.query("SELECT pg_stat_statements_reset()");

    await does("load-roles", {});
    await does("admit-peer", { direction: "forward", databases: '["postgres"]', from: "127.0.0.1" });
    const script = path.join(folder, "script.sql");
    writeFileSync(script, `CREATE ROLE mapped PASSWORD '${ofTool}';`);
    await client(context, means, "psql", ["-X", "-d", "postgres", "-v", "ON_ERROR_STOP=1", "-f", script]);

    const { rows: made } = await asked.query<{ rolname: string }>(
      "SELECT rolname FROM pg_authid WHERE rolpassword LIKE 'SCRAM%' ORDER BY 1",
    );
    expect(made.map(({ rolname }) => rolname)).toEqual(["app", "lockkeeper_r1", "mapped"]);
    const { rows } = await asked.query<{ query: string }>(
      "SELECT query FROM pg_stat_statements WHERE query LIKE '%SCRAM%' AND query NOT LIKE '%rolpassword%'",
    );
    expect(rows).toEqual([]);
    await asked.end();
    await holder.end();
    // a printed tree has its lines broken anywhere
    const logged = server.log().replaceAll(/\s/g, "");
    expect(logged).toContain("pg_stat_statements_reset");
    expect([ofRoles, ofPeer, ofTool].filter((each) => logged.includes(each))).toEqual([]);
  });
});
