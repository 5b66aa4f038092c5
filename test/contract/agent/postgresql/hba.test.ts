/** The line of pg_hba.conf by which a peer comes in: whatever cuts its making short, the server reads its file and starts again. */
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import pg from "pg";
import { afterEach, describe, expect, it } from "vitest";
import { roleName } from "#agent/engines/postgresql/names.ts";
import { scramVerifier } from "#agent/engines/postgresql/passfile.ts";
import { peerVerbs } from "#agent/engines/postgresql/peers.ts";
import { postgresqlSettings } from "#agent/engines/postgresql/settings.ts";
import type { StepContext } from "#agent/verb.ts";
import { succeed } from "#proto/common/failure.ts";
import type { PostgresServer } from "#test/postgres/server.ts";
import { hostOf, run, serverOf, stopAll } from "./asked-server.ts";

const folders: string[] = [];

afterEach(async () => {
  await stopAll();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const role = roleName("r1", "forward");
const line = `host all ${role} 127.0.0.1/32 scram-sha-256`;

function desk(server: PostgresServer) {
  const folder = mkdtempSync(path.join(tmpdir(), "lockkeeper-hba-"));
  folders.push(folder);
  const verifier = path.join(folder, "verifier");
  writeFileSync(verifier, scramVerifier("secret"));
  const parcels = {
    find: () => Promise.resolve(succeed({ digest: "d" })),
    fetch: () => Promise.resolve(succeed(verifier)),
  };
  const { port, superuser: user } = server;
  const means = { settings: postgresqlSettings.parse({ host: "127.0.0.1", port, user, tools: "/tools" }) };
  const context = { host: hostOf(), signal: AbortSignal.timeout(30_000), rollout: "r1", parcels };
  const admit = peerVerbs(means).find(({ name }) => name === "postgresql.admit-peer");
  const args = admit?.args.parse({ direction: "forward", databases: "[]", from: "127.0.0.1" });
  return {
    hba: path.join(server.data, "pg_hba.conf"),
    admits: () => admit?.run(context as unknown as StepContext, args),
    probe: () => admit?.probe?.(context as unknown as StepContext, args),
  };
}

it("is in force when the step has ended, with the owner and the mode that the file had", async () => {
  const server = await serverOf(17);
  const { hba, admits, probe } = desk(server);
  chmodSync(hba, 0o640);
  const before = statSync(hba);
  expect(await probe()).toMatchObject({ state: "not-done" });
  expect(await admits()).toMatchObject({ result: "done" });
  expect(await probe()).toMatchObject({ state: "done" });
  expect(statSync(hba)).toMatchObject({ uid: before.uid, gid: before.gid, mode: before.mode });
  // all others are trusted, and so would this one be
  const peer = new pg.Client({ connectionString: server.urlOf("postgres", role) });
  await expect(peer.connect()).rejects.toThrow(/password/);
});

it("is not done where the file has it and the server was never told to read it again", async () => {
  const server = await serverOf(17);
  const { hba, admits, probe } = desk(server);
  await run(server, "postgres", `CREATE ROLE ${role} LOGIN`);
  writeFileSync(hba, `${line}\n${readFileSync(hba, "utf8")}`);
  expect(await probe()).toMatchObject({ state: "not-done" });
  expect(await admits()).toMatchObject({ result: "done" });
  expect(await probe()).toMatchObject({ state: "done" });
});

describe.skipIf(process.getuid?.() !== 0)(
  "a file that power was lost over, written and not yet given away",
  () => {
    it.for([10, 17] as const)(
      "is the server's own again after the next try, and %i starts",
      async (major) => {
        const server = await serverOf(major);
        const { hba, admits } = desk(server);
        await run(server, "postgres", `CREATE ROLE ${role} LOGIN`);
        writeFileSync(hba, `${line}\n${readFileSync(hba, "utf8")}`);
        chmodSync(hba, 0o640);
        chownSync(hba, 0, 0);
        expect(await admits()).toMatchObject({ result: "done" });
        await server.restart();
        const { uid, gid } = statSync(server.data);
        expect(statSync(hba)).toMatchObject({ uid, gid });
      },
    );
  },
);
