/** A database that comes to the old server while the others are copied: named before the fence closes it with all the rest. */
import { afterEach, expect, it } from "vitest";
import { lookingVerbs } from "#agent/engines/postgresql/looking.ts";
import { postgresqlSettings } from "#agent/engines/postgresql/settings.ts";
import type { StepContext } from "#agent/verb.ts";
import { hostOf, run, serverOf, stopAll } from "./asked-server.ts";

afterEach(stopAll);

it("stops the cut-over by its name; one that was there, and templates, do not", async () => {
  const server = await serverOf(17);
  const settings = { host: "127.0.0.1", port: server.port, user: "kw", tools: "/tools" };
  const context = { host: hostOf(), signal: AbortSignal.timeout(30_000) } as unknown as StepContext;
  const prove = async () => {
    const verb = lookingVerbs({ settings: postgresqlSettings.parse(settings) }).find(
      ({ name }) => name === "postgresql.prove-databases",
    );
    return verb?.run(context, verb.args.parse({ databases: '["postgres","shop"]' }));
  };
  await run(server, "postgres", "CREATE DATABASE shop", "CREATE DATABASE mould IS_TEMPLATE true");
  expect(await prove()).toMatchObject({ result: "done" });
  await run(server, "postgres", "CREATE DATABASE billing");
  expect(await prove()).toMatchObject({
    failure: { code: "postgresql.database-new", facts: { databases: "billing" } },
  });
}, 60_000);
