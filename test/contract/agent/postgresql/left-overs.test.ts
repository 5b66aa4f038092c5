/** What moves have left on a real server and its host is all told, of whatever rollout. */
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, expect, it } from "vitest";
import { leftOversOf, leftOversOn } from "#agent/engines/postgresql/left-overs.ts";
import { postgresqlSettings } from "#agent/engines/postgresql/settings.ts";
import { hostOf, run, serverOf, stopAll } from "./asked-server.ts";

afterEach(stopAll);

it("is found in catalogues of every database, in pg_hba.conf and in files; and one rollout's alone is told apart", async () => {
  const server = await serverOf(17);
  const host = hostOf();
  const passfileFolder = path.join(host.stateDir, "passwords");
  const { port } = server;
  const means = {
    settings: postgresqlSettings.parse({
      host: "127.0.0.1",
      port,
      user: "kw",
      tools: "/tools",
      passfileFolder,
    }),
  };
  const context = { host, signal: AbortSignal.timeout(30_000) };
  expect(await leftOversOn(context, means)).toEqual([]);

  await run(server, "postgres", "CREATE DATABASE far", "CREATE ROLE lockkeeper_r1");
  await run(server, "far", "CREATE PUBLICATION lockkeeper_r2 FOR ALL TABLES", "CREATE PUBLICATION theirs");
  appendFileSync(
    path.join(server.data, "pg_hba.conf"),
    "\n# of lockkeeper_ no line\nhost all lockkeeper_r1 10.0.0.1/32 scram-sha-256\n",
  );
  mkdirSync(passfileFolder);
  for (const name of [".lockkeeper_r2.pgpass", ".theirs.pgpass"])
    writeFileSync(path.join(passfileFolder, name), "");
  const notes = path.join(host.stateDir, "moving", "lockkeeper-r2");
  mkdirSync(notes, { recursive: true });
  writeFileSync(path.join(notes, "fence.json"), "{}");

  const ofSecond = ["password file lockkeeper_r2", `prior value ${notes}/fence.json`];
  const publication = "publication lockkeeper_r2 in far";
  const ofFirst = ["role lockkeeper_r1", "line of pg_hba.conf for lockkeeper_r1"];
  expect(new Set(await leftOversOn(context, means))).toEqual(new Set([...ofFirst, publication, ...ofSecond]));
  expect(await leftOversOf(context, means, { rollout: "r1" })).toEqual(ofFirst);
  expect(await leftOversOf(context, means, { rollout: "r2" })).toEqual([publication, ...ofSecond]);
}, 60_000);
