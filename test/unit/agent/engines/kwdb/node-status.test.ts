import { mkdirSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Client, openClient } from "#agent/engines/kwdb/client.ts";
import { isWell, nodeStatus, ownRow, whyNotUpgraded, withMarks } from "#agent/engines/kwdb/node-status.ts";
import type { Look } from "#agent/verb.ts";
import { fakeHost, lookOf } from "./fake-host.ts";
import { onHost } from "./installation.ts";

const header = "id,address,sql_address,build,started_at,updated_at,locality,start_mode,is_available,is_live";
/** The table of the field manual: a node that is well, one just stopped, one long gone. */
const table = `${header}
1,10.0.0.11:26257,10.0.0.11:26257,3.0.0,2026-01-01 00:00:00.123456+00:00,2026-01-01 00:00:10.5+00:00,region=NODE1,start,true,true
2,10.0.0.12:26257,10.0.0.12:26257,V3.0.0,2026-01-01 00:00:00.2+00:00,2026-01-01 00:00:05.1+00:00,region=NODE2,start,false,false
3,NULL,NULL,NULL,NULL,2026-01-01 00:00:05.1+00:00,NULL,NULL,false,false
`;

function clientSaying(look: Look): Client {
  return { run: () => Promise.resolve(look) } as unknown as Client;
}

async function rowsOf(text: string) {
  const rows = await nodeStatus(clientSaying(lookOf(text)));
  if (!rows.ok) throw new Error(rows.failure.code);
  return rows.value;
}

const mode = { address: "10.0.0.12", sqlPort: 26_257 } as Parameters<typeof ownRow>[1];

describe("node status", () => {
  it("keeps what the database does not know as null", async () => {
    const [first, , third] = await rowsOf(table);
    expect(first).toMatchObject({
      id: 1,
      build: "3.0.0",
      startMode: "start",
      isAvailable: true,
      isLive: true,
    });
    expect(third).toMatchObject({ id: 3, address: null, build: null, isAvailable: false, isLive: false });
  });

  it("reads by name: later versions may put columns between", async () => {
    const [row] = await rowsOf(
      "is_live,id,zone,address,sql_address,build,started_at,start_mode,is_available\ntrue,7,z,a:1,a:1,3.2.0,NULL,start,NULL\n",
    );
    expect(row).toMatchObject({ id: 7, isLive: true, isAvailable: false, build: "3.2.0" });
  });

  it.each<[string, Look]>([
    [
      "without start_mode, which another database's would not have",
      lookOf(table.replaceAll(/start_mode/g, "mode")),
    ],
    ["of the server's error", lookOf("", { exitCode: 1, stderr: "ERROR: cannot dial server.\n" })],
    ["of tabs", lookOf(table.replaceAll(",", "\t"))],
  ])("%s is no answer", async (_, look) => {
    expect((await nodeStatus(clientSaying(look))).ok).toBe(false);
  });

  it("has the marks of gossip by id, and none where gossip tells none", async () => {
    const marks = [{ node_id: "2", draining: "true", decommissioning: "false", upgrading: "NULL" }];
    const [first, second] = withMarks(await rowsOf(table), marks);
    expect(first).not.toHaveProperty("draining");
    expect(second).toMatchObject({ draining: true, decommissioning: false, upgrading: false });
  });

  it("finds its own row by address and port, not by address alone", async () => {
    const rows = await rowsOf(table);
    expect(ownRow(rows, mode)?.id).toBe(2);
    expect(ownRow(rows, { ...mode, sqlPort: 26_258 })).toBeUndefined();
  });
});

describe("a row", () => {
  const well = { id: 1, address: "a", sqlAddress: "a", build: "V3.1.0", startedAt: null, startMode: "start" };
  const row = { ...well, isAvailable: true, isLive: true };

  it.each<[string, Parameters<typeof isWell>[0], boolean]>([
    ["live, available, target version", row, true],
    ["not live", { ...row, isLive: false }, false],
    ["not available", { ...row, isAvailable: false }, false],
    ["draining", { ...row, draining: true }, false],
    ["decommissioning", { ...row, decommissioning: true }, false],
    ["upgrading", { ...row, upgrading: true }, false],
    ["of another version", { ...row, build: "3.0.0" }, false],
    ["of no version", { ...row, build: null }, false],
  ])("%s", (_, given, isSo) => {
    expect(isWell(given, ["3.1.0"])).toBe(isSo);
    expect(whyNotUpgraded(given, "3.1.0")?.code).toBe(isSo ? undefined : "kwdb.row-not-well");
  });

  it("that is missing is a reason of its own", () => {
    expect(whyNotUpgraded(undefined, "3.1.0")?.code).toBe("kwdb.own-row-missing");
  });
});

describe("the client", () => {
  const lines = (security: string) =>
    ["bare", "multi-replication", "/p", "/d", 26_257, 8_080, "kwdb", security, "false", "10.0.0.1"].join(
      "\n",
    );

  it.each([
    ["insecure", ["--insecure"]],
    ["tls", ["--certs-dir=/etc/kaiwudb/certs"]],
    ["tlcp", ["--certs-dir=/etc/kaiwudb/certs", "--tlcp"]],
  ])("of a node with security %s gives its words, as the user of the MODE file", async (security, words) => {
    const host = fakeHost();
    mkdirSync(host.path("/etc/kaiwudb/info"), { recursive: true });
    writeFileSync(host.path("/etc/kaiwudb/info/MODE"), lines(security));
    const client = await openClient(onHost(host));
    if (!client.ok) throw new Error(client.failure.code);
    expect(client.value.command(["node", "drain"])).toEqual({
      argv: [
        host.path("/usr/local/kaiwudb/bin/kwbase"),
        "node",
        "drain",
        ...words.map((word) => word.replace("/etc", host.path("/etc"))),
        "--host=127.0.0.1:26257",
      ],
      cwd: host.path("/usr/local/kaiwudb/bin"),
      user: "kwdb",
    });
  });
});
