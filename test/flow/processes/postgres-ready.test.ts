/** Nobody is asked to cut over before the new server has its standby and its backup; and it is looked at again before the fence. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { proveRows } from "#test/postgres/rows-proof.ts";
import { startWriter, type Writer } from "#test/postgres/writer.ts";
import { PostgresFleet } from "./harness/postgres-fleet.ts";
import { bundle, onlyFull, stoppedAfterEach } from "./harness/preface.ts";

const dist = bundle();
let fleet: PostgresFleet;
let writer: Writer | undefined;
let urls: readonly string[] = [];
stoppedAfterEach(() => [writer, fleet]);

const skipUnlessFull = onlyFull("waits of minutes; each verdict is a unit test");

/** What a person reads who asks why. */
const why = () => said("why", "orders");

async function said(...words: readonly string[]): Promise<string> {
  const { stdout, stderr } = await fleet.cli(words);
  return stdout + stderr;
}

async function prepared(): Promise<string> {
  const settings = { "new-standbys": "1", "new-backup": "hook" };
  fleet = await PostgresFleet.start(dist(), { old: 15, new: 18, settings });
  await fleet.on("old1", "postgres", async (client) => {
    await client.query("CREATE ROLE app LOGIN");
    await client.query("CREATE DATABASE shop OWNER app");
  });
  await fleet.on("old1", "shop", async (client) => {
    await client.query("CREATE TABLE written (id bigint PRIMARY KEY, body text)");
    await client.query("GRANT ALL ON ALL TABLES IN SCHEMA public TO app");
  });
  urls = (["old1", "new1"] as const).map((node) => fleet.server(node).urlOf("shop", "app"));
  writer = startWriter({ urls, table: "written" });
  await writer.accepted(20);
  const { file } = await fleet.plan();
  return file;
}

describe("a move to a server that is to have a standby and a backup", () => {
  it("waits for both, and goes on without a standby only by a person's word", async (context) => {
    skipUnlessFull(context);
    const first = await prepared();
    const refused = await fleet.cli(["apply", first, "-y"]);
    expect([refused.code, refused.stderr + refused.stdout]).toEqual([
      3,
      expect.stringContaining("postgresql.target-backup ko"),
    ]);
    const proof = join(fleet.folder, "backup-is-there");
    await fleet.restartAgent("new1", { hooks: { proveBackup: ["test", "-e", proof] } });
    const { file } = await fleet.plan();

    const applied = fleet.follow(["apply", file, "-y"]);
    await fleet.until("it waits for the standby", async () => (await why()).includes("0 of 1 standbys"));
    expect(await why()).toContain("who:     you");
    expect(await why()).toContain("--ack postgresql.target-standbys");
    expect(await said("status", "orders")).toContain("gate waits: 0 of 1 standbys follow new1");
    expect((await fleet.cli(["approve", "orders"])).code).toBe(3);

    const standby = await fleet.addStandby("new1");
    await fleet.until("it waits for the backup", async () => (await why()).includes("no fresh backup"));
    await writeFile(proof, "");
    expect((await applied.ended).code).toBe(8);

    await standby.kill();
    const approved = fleet.follow(["approve", "orders"]);
    await fleet.until("it waits after the yes", async () => (await why()).includes("0 of 1 standbys"));
    const before = writer?.log.accepted.length ?? 0;
    await writer?.accepted(before + 30);
    expect(writer?.log.accepted.at(-1)?.server).toBe(urls[0]);
    await fleet.must("pause", "orders");
    await approved.ended;
    const words = ["--ack", "postgresql.target-standbys", "--reason", "the host is dead; tomorrow"];
    const resumed = await fleet.follow(["resume", "orders", ...words]).ended;
    expect(resumed.code, resumed.stderr).toBe(8);
    await writer?.accepted((writer?.log.accepted.length ?? 0) + 30);
    const log = await (writer as Writer).stop();
    expect(log.accepted.at(-1)?.server).toBe(urls[1]);
    expect(await fleet.on("new1", "shop", (client) => proveRows(log, client))).toEqual({
      lost: [],
      doubled: [],
      stale: [],
      strange: [],
    });
    expect(await said("status", "orders")).toContain("the host is dead; tomorrow");
  }, 420_000);
});
