/** Into the other side as the server will connect: encrypted as the agent's file says, or not at all. */
import { chmodSync, chownSync, copyFileSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { roleName } from "#agent/engines/postgresql/names.ts";
import { keepPassword } from "#agent/engines/postgresql/passfile.ts";
import { reachingVerbs } from "#agent/engines/postgresql/reaching.ts";
import { postgresqlSettings } from "#agent/engines/postgresql/settings.ts";
import type { FileOwner } from "#agent/host/file-runner.ts";
import type { StepContext } from "#agent/verb.ts";
import { makeAuthority, makeNodeCerts } from "#test/doubles/kwdb/make-certs.ts";
import type { Major } from "#test/postgres/binaries.ts";
import type { PostgresServer } from "#test/postgres/server.ts";
import { hostOf, run, serverOf, stopAll } from "./asked-server.ts";

const folders: string[] = [];

afterEach(async () => {
  await stopAll();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "lockkeeper-tls-"));
  folders.push(folder);
  chmodSync(folder, 0o755);
  return folder;
}

/** Its certificate is for the loopback address; the path is that of its authority's. */
async function encrypt(server: PostgresServer): Promise<string> {
  const authority = await makeAuthority(newFolder());
  const certs = newFolder();
  await makeNodeCerts(authority, certs, []);
  const { uid, gid } = statSync(server.data);
  for (const end of ["crt", "key"]) {
    const file = path.join(server.data, `server.${end}`);
    copyFileSync(path.join(certs, `node.${end}`), file);
    chownSync(file, uid, gid);
  }
  await run(
    server,
    "postgres",
    "ALTER SYSTEM SET ssl = on",
    "SELECT pg_reload_conf()",
    "SELECT pg_sleep(0.5)",
  );
  return path.join(authority, "ca.crt");
}

async function reached(
  server: PostgresServer,
  settings: Readonly<Record<string, string>>,
  owner: FileOwner = statSync(server.data),
) {
  const role = roleName("r1", "forward");
  const means = {
    settings: postgresqlSettings.parse({
      tools: "/tools",
      host: "127.0.0.1",
      port: server.port,
      user: server.superuser,
      passfileFolder: newFolder(),
      ...settings,
    }),
  };
  const host = hostOf();
  await keepPassword(host, means, { role, owner });
  const verb = reachingVerbs(means).find(({ name }) => name === "postgresql.prove-reach");
  const context = { host, signal: AbortSignal.timeout(30_000), rollout: "r1" } as unknown as StepContext;
  const at = `127.0.0.1:${server.port}`;
  return verb?.run(context, verb.args.parse({ databases: '["postgres"]', direction: "forward", at }));
}

const toldOf = (result: unknown) =>
  Object.entries((result as { outputs?: Record<string, string> }).outputs ?? {}).find(([name]) =>
    name.startsWith("told.replication to"),
  )?.[1];

async function admitting(major: Major): Promise<PostgresServer> {
  const server = await serverOf(major);
  await run(server, "postgres", `CREATE ROLE ${roleName("r1", "forward")} LOGIN REPLICATION`);
  return server;
}

it.for([15, 18] as const)(
  "of an encrypted %i is proven by its certificate, and by no other",
  async (major) => {
    const server = await admitting(major);
    const sslRootCert = await encrypt(server);
    expect(toldOf(await reached(server, { sslMode: "verify-full", sslRootCert }))).toMatch(
      /^encrypted by TLS/,
    );
    expect(toldOf(await reached(server, {}))).toMatch(/^encrypted by TLS/);
    const other = path.join(await makeAuthority(newFolder()), "ca.crt");
    expect(await reached(server, { sslMode: "verify-full", sslRootCert: other })).toMatchObject({
      result: "failed",
      failure: { code: "postgresql.peer-not-reached" },
    });
  },
);

it("is not entered in clear text where encryption is required, and said to be in clear text where it is not", async () => {
  const server = await admitting(18);
  expect(await reached(server, { sslMode: "require" })).toMatchObject({
    result: "failed",
    failure: { code: "postgresql.peer-not-reached", facts: { sslMode: "require" } },
  });
  expect(toldOf(await reached(server, {}))).toBe("not encrypted");
});

it("needs a certificate to prove it by", async () => {
  const server = await admitting(18);
  expect(await reached(server, { sslMode: "verify-ca" })).toMatchObject({
    result: "failed",
    failure: { code: "postgresql.root-certificate" },
  });
});

describe.skipIf(process.getuid?.() !== 0)("is not proven by what root alone can read", () => {
  it.for([10, 18] as const)("the password, of %i", async (major) => {
    const server = await admitting(major);
    expect(await reached(server, {}, { uid: 0, gid: 0 })).toMatchObject({
      result: "failed",
      failure: { code: "postgresql.file-not-read", facts: { cause: expect.stringMatching(/denied/) } },
    });
    expect(toldOf(await reached(server, {}))).toBe("not encrypted");
  });

  it("the certificates of the other side", async () => {
    const server = await admitting(18);
    const sslRootCert = await encrypt(server);
    chmodSync(sslRootCert, 0o600);
    expect(await reached(server, { sslMode: "verify-full", sslRootCert })).toMatchObject({
      result: "failed",
      failure: { code: "postgresql.file-not-read", facts: { path: sslRootCert } },
    });
  });
});
