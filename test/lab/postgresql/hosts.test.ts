// The lab's PostgreSQL hosts themselves: if a server here does not behave as one on Debian does, nothing that the
// upgrades over them prove is worth anything.
import { Client } from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { proveRows } from "#test/postgres/rows-proof.ts";
import { startWriter } from "#test/postgres/writer.ts";
import {
  createLab,
  describeLab,
  describeLongLab,
  type Lab,
  type RunResult,
  until,
} from "../harness/index.ts";
import { startPair } from "./fleet.ts";
import { lackOf, type PgHost, pgRoot, port, startPgHost } from "./pg-host.ts";
import { openRoad } from "./road.ts";

const rows = "SELECT count(*), min(id), max(id) FROM kept";
const thousand = "CREATE TABLE kept (id int PRIMARY KEY); INSERT INTO kept SELECT generate_series(1, 1000)";

const asPostgres = [
  ...["psql", "-XAtw", "-h", "/var/run/postgresql", "-U", "postgres"],
  ...["-c", "SELECT current_user"],
];

/** psql on one host to the server of another, as its URL says. */
function connect(from: PgHost, url: string, statement: string): Promise<RunResult> {
  const { password, href } = withoutPassword(url);
  const argv = [`${from.bin}/psql`, "-XAtw", "-d", href, "-c", statement];
  return from.host.exec(argv, { env: { PGPASSWORD: password } });
}

function withoutPassword(url: string): { readonly password: string; readonly href: string } {
  const parsed = new URL(url);
  const { password } = parsed;
  parsed.password = "";
  return { password, href: parsed.href };
}

async function identityOf(server: PgHost): Promise<string> {
  return server.sql("postgres", "SELECT system_identifier FROM pg_control_system()");
}

await describeLab("hosts with Debian's PostgreSQL 15 and 17", () => {
  let lab: Lab;
  let old: PgHost;
  let young: PgHost;

  beforeAll(async () => {
    lab = await createLab({ name: "pg-hosts" });
    await Promise.all([pgRoot(15), pgRoot(17)]);
    const before = performance.now();
    ({ old, new: young } = await startPair(lab, { old: 15, new: 17 }));
    console.log(`two servers up in ${Math.round(performance.now() - before)} ms`);
  });

  afterAll(async () => {
    await lab?.[Symbol.asyncDispose]();
  });

  it.each(["old", "new"] as const)(
    "serve with a cluster of their own, ready to replicate: %s",
    async (which) => {
      const server = { old, new: young }[which];
      expect(await server.sql("postgres", "SHOW server_version_num")).toMatch(
        new RegExp(`^${server.major}\\d{4}$`),
      );
      const settings = ["wal_level", "fsync", "max_replication_slots", "max_wal_senders", "data_checksums"];
      const shown = settings.map((name) => `current_setting('${name}')`).join(", ");
      expect(await server.sql("postgres", `SELECT ${shown}`)).toBe("logical|on|20|20|off");
      const made =
        "SELECT pg_encoding_to_char(encoding), datcollate FROM pg_database WHERE datname = 'template1'";
      expect(await server.sql("postgres", made)).toBe("UTF8|C.UTF-8");
      expect((await server.host.must(["systemctl", "is-enabled", server.unit])).trim()).toBe("enabled");
      const bound = await server.host.must(["ss", "-Hltn", `sport = :${port}`]);
      expect(bound.trim().split(/\s+/)[3]).toBe(`${server.host.ip}:${port}`);
    },
  );

  it("let root in over the socket as postgres, and nobody else", async () => {
    const { host } = old;
    expect((await host.must(asPostgres)).trim()).toBe("postgres");
    const refused = await host.exec(["runuser", "-u", "nobody", "--", ...asPostgres]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("Peer authentication failed");
    expect((await old.psql("postgres", "SELECT 1/0;\nSELECT 2")).stdout).toBe("");
  });

  it("reach each other over the lab's network by password, and by no wrong one", async () => {
    const url = await old.createRole("reader");
    const asked = await connect(young, url, "SELECT inet_server_addr(), inet_client_addr()");
    expect(asked.stdout.trim(), asked.stderr).toBe(`${old.host.ip}|${young.host.ip}`);
    const refused = await connect(young, url.replace(old.passwordOf("reader"), "wrong"), "SELECT 1");
    expect(refused.stderr).toContain("password authentication failed");
    expect(
      await old.sql("postgres", "SELECT left(rolpassword, 13) FROM pg_authid WHERE rolname = 'reader'"),
    ).toBe("SCRAM-SHA-256");
    expect(await old.log()).toContain("password authentication failed");
  });

  it("are reached from this process, by a road, as from our side of the network", async () => {
    await using road = await openRoad(lab, young);
    await young.createRole("walker");
    const client = new Client({ connectionString: road.url("walker"), connectionTimeoutMillis: 10_000 });
    await client.connect();
    const asked = await client.query("SELECT inet_client_addr() AS from, current_user AS role");
    expect(asked.rows).toEqual([{ from: lab.ip, role: "walker" }]);
    const errors: string[] = []; // the server's word, and at times one more for the closed connection
    client.on("error", ({ message }) => errors.push(message));
    await young.sql(
      "postgres",
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'walker'",
    );
    await until("the client is told", async () => errors.length > 0);
    expect(errors[0]).toContain("terminating connection");
    await client.end();
  });

  it("replicate from the old to the new", async () => {
    await old.createRole("replicator", "LOGIN SUPERUSER REPLICATION");
    await old.sql("postgres", `${thousand}; CREATE PUBLICATION lab FOR TABLE kept`);
    await young.sql("postgres", "CREATE TABLE kept (id int PRIMARY KEY)");
    const create = `CREATE SUBSCRIPTION lab CONNECTION '${old.url("replicator")}' PUBLICATION lab`;
    await young.sql("postgres", create);
    await old.sql("postgres", "INSERT INTO kept VALUES (1001)");
    await until("the rows are there", async () => (await young.sql("postgres", rows)) === "1001|1|1001");
    await young.sql("postgres", "DROP SUBSCRIPTION lab");
  });

  it("stay down when the postmaster is killed, as their unit says, and come back started", async () => {
    const property = async (name: string) =>
      (await old.host.must(["systemctl", "show", "--property", name, "--value", old.unit])).trim();
    const before = await old.postmasterPid();
    await old.killServer();
    expect(await property("Restart")).toBe("no");
    await until("systemd has seen it", async () => (await property("ActiveState")) === "failed");
    // not "signal": the unit's stop command finds no server, and that is the last that systemd hears
    expect(await property("Result")).toBe("exit-code");
    expect(await property("ExecMainStatus")).toBe("9");
    expect(await old.serves()).toBe(false);
    expect(await young.serves()).toBe(true);
    await old.startServer();
    expect(await old.postmasterPid()).not.toBe(before);
    expect(await old.log()).toContain("database system was not properly shut down");
    expect(await old.sql("postgres", rows)).toBe("1001|1|1001");
  });

  it("come back with their host, and with every row that was committed", async () => {
    await old.sql("postgres", "INSERT INTO kept VALUES (1002)");
    const identity = await identityOf(old);
    const before = performance.now();
    await old.powerOff();
    expect(await old.serves()).toBe(false);
    await old.powerOn();
    console.log(`power-off and -on until it serves: ${Math.round(performance.now() - before)} ms`);
    expect(await old.sql("postgres", rows)).toBe("1002|1|1002");
    expect(await identityOf(old)).toBe(identity);
    expect((await connect(young, old.url("reader"), "SELECT 1")).stdout.trim()).toBe("1");
    await old.stopServer();
    expect(await old.serves()).toBe(false);
  });
});

await describeLongLab(
  "a host with Debian's PostgreSQL 18",
  () => {
    it("keeps every row that a writer outside was promised, through a kill and a power-off", async () => {
      await using lab = await createLab({ name: "pg-18" });
      const server = await startPgHost({ lab, name: "pg-18", major: 18, number: 18 });
      expect(await server.sql("postgres", "SHOW server_version_num")).toMatch(/^18\d{4}$/);
      // from this major on, initdb turns them on
      expect(await server.sql("postgres", "SHOW data_checksums")).toBe("on");
      expect((await server.host.must(asPostgres)).trim()).toBe("postgres");
      await using road = await openRoad(lab, server);
      await server.createRole("app");
      const table = "CREATE TABLE written (id bigint, body text); ALTER TABLE written OWNER TO app";
      await server.sql("postgres", table);
      const writer = startWriter({ urls: [road.url("app")], table: "written" });
      await writer.accepted(20);
      await server.killServer();
      await server.startServer();
      await writer.accepted(40, 20_000);
      await server.powerOff();
      await server.powerOn();
      await writer.accepted(writer.log.accepted.length + 20, 30_000);
      const log = await writer.stop();
      console.log(`longest pause of the writer: ${Math.round(log.longestPauseMs)} ms`);
      const client = new Client({ connectionString: road.url("app"), connectionTimeoutMillis: 10_000 });
      await client.connect();
      expect(await proveRows(log, client)).toEqual({ lost: [], doubled: [], stale: [], strange: [] });
      await client.end();
    });
  },
  () => lackOf(18),
);
