/** Sequences of a server that is opened without the other one's word: set forth by the rows that are there. */
import { afterEach, expect, it } from "vitest";
import { sequenceVerbs } from "#agent/engines/postgresql/sequences.ts";
import { postgresqlSettings } from "#agent/engines/postgresql/settings.ts";
import type { StepContext } from "#agent/verb.ts";
import { hostOf, rowsOf, run, serverOf, stopAll } from "./asked-server.ts";

afterEach(stopAll);

it.each([10, 18] as const)(
  "on PostgreSQL %i go forth to the last number that is theirs, whatever else the column holds",
  async (major) => {
    const server = await serverOf(major);
    await run(
      server,
      "postgres",
      "CREATE TABLE behind (id bigserial)",
      "INSERT INTO behind VALUES (7), (3)",
      "CREATE TABLE before (id serial)",
      "SELECT setval('before_id_seq', 20); INSERT INTO before VALUES (7)",
      "CREATE TABLE never (id serial)",
      // the column was widened, its sequence was not; some numbers come from elsewhere
      "CREATE TABLE widened (id serial)",
      "ALTER SEQUENCE widened_id_seq AS integer",
      "ALTER TABLE widened ALTER id TYPE bigint",
      "INSERT INTO widened VALUES (5), (9007199254740993)",
      "CREATE TABLE down (id int GENERATED ALWAYS AS IDENTITY (INCREMENT -1 MINVALUE -100 START -1))",
      "INSERT INTO down OVERRIDING SYSTEM VALUE VALUES (-4), (-200)",
      "CREATE SEQUENCE free",
    );
    const means = {
      settings: postgresqlSettings.parse({
        host: "127.0.0.1",
        port: server.port,
        user: "kw",
        tools: "/tools",
      }),
    };
    const context = { host: hostOf(), signal: AbortSignal.timeout(30_000), rollout: "r1" };
    const verb = sequenceVerbs(means).find(({ name }) => name === "postgresql.advance-sequences");
    if (verb === undefined) throw new Error("no verb");
    const found = await verb.run(
      context as unknown as StepContext,
      verb.args.parse({ databases: '["dropped","postgres"]' }),
    );
    expect(found).toMatchObject({
      result: "done",
      outputs: { "told.sequences": expect.stringMatching(/set these yourself: postgres: public.free$/) },
    });
    const next = async (name: string) => (await rowsOf(server, `SELECT nextval('${name}')`))[0]?.["nextval"];
    expect(await next("behind_id_seq")).toBe("8");
    expect(await next("before_id_seq")).toBe("21");
    expect(await next("never_id_seq")).toBe("1");
    expect(await next("widened_id_seq")).toBe("6");
    expect(await next("down_id_seq")).toBe("-5");
  },
);
