/** The client tools that an upgrade copies a schema with, against the oldest and the newest server. */
import path from "node:path";
import { execa } from "execa";
import { beforeAll, expect, it } from "vitest";
import { startPostgres } from "#test/postgres/server.ts";
import { postgresTools } from "#test/postgres/tools.ts";

let tools = "";

// the first time on a machine they are fetched
beforeAll(async () => {
  tools = await postgresTools();
}, 430_000);

it.each([10, 18] as const)(
  "reads schema and roles of a server of major %s, and writes there",
  async (major) => {
    await using server = await startPostgres({ major });
    const tool = async (name: string, ...words: readonly string[]) => {
      const ran = await execa(path.join(tools, name), ["-d", server.url, ...words], { timeout: 20_000 });
      return ran.stdout;
    };
    await tool("psql", "-v", "ON_ERROR_STOP=1", "-c", 'create table "Größe" (id int primary key)');
    await tool("psql", "-v", "ON_ERROR_STOP=1", "-c", "create role somebody");
    expect(await tool("psql", "-Atc", "select count(*) from pg_class where relname = 'Größe'")).toBe("1");
    expect(await tool("pg_dump", "--schema-only")).toContain('CREATE TABLE public."Größe"');
    expect(await tool("pg_dumpall", "--roles-only")).toContain("CREATE ROLE somebody;");
  },
);
