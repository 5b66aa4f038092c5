/** The stand-in's kwbase: its command line's dialect, one node's life, and what three nodes know of each other. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import net from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startCluster } from "#test/doubles/host/cluster.ts";
import type { DemoHost } from "#test/doubles/host/create-host.ts";
import type { BuiltPackage } from "#test/doubles/kwdb/build-package.ts";
import { field, formatOf, render, timestamp } from "#test/doubles/kwdb/kwbase/table.ts";
import { Bench, rows, until } from "./fixture.ts";

const bench = new Bench();
let old: BuiltPackage;
let next: BuiltPackage;
let cluster: readonly [DemoHost, DemoHost, DemoHost];
beforeAll(async () => {
  old = await bench.package("3.0.0");
  next = await bench.package("3.1.0");
  const [a, b, c] = await bench.hosts(old, ["db1", "db2", "db3"]);
  if (a === undefined || b === undefined || c === undefined) throw new Error("three hosts");
  cluster = [a, b, c];
  await startCluster(cluster);
});
afterAll(() => bench.end());

const sql = async (host: DemoHost, statement: string) => host.kwbase("sql", "--format=csv", "-e", statement);
const status = async (host: DemoHost, ...more: readonly string[]) =>
  rows((await host.kwbase("node", "status", "--format=csv", ...more)).stdout);
const health = `SELECT sum((metrics->>'ranges.unavailable')::DECIMAL)::INT AS ranges_unavailable,
   sum((metrics->>'ranges.underreplicated')::DECIMAL)::INT As ranges_underreplicated
FROM kwdb_internal.kv_store_status;`;
const healthIs = (host: DemoHost, line: string) =>
  until(`health ${line}`, 8000, async () => (await sql(host, health)).stdout.endsWith(`\n${line}\n`));
const leases = async (host: DemoHost) =>
  rows(
    (
      await sql(
        host,
        "SELECT lease_holder, count(*) FROM kwdb_internal.ranges GROUP BY lease_holder ORDER BY lease_holder",
      )
    ).stdout,
  );

describe("tables as text", () => {
  it("writes NULL, the empty string, quotes and white space as kwbase does", () => {
    const cells = [null, "", "a,b", 'say "x"', " lead", "two\nlines", true, 1.5, "plain"] as const;
    expect(cells.map((cell) => field(cell, ",")).join("|")).toBe(
      'NULL|""|"a,b"|"say ""x"""|" lead"|"two\nlines"|true|1.5|plain',
    );
    expect([field("a,b", "\t"), field("a\tb", "\t")]).toEqual(["a,b", '"a\tb"']);
  });

  it("counts rows in a table, ends lines with LF, trims fractions of a second", () => {
    expect(render({ columns: ["id"], rows: [[1]] }, "csv")).toBe("id\n1\n");
    expect(render({ columns: ["id", "name"], rows: [[1, "x"]] }, "table")).toBe(
      "  id | name\n-----+-------\n  1  | x   \n(1 row)\n",
    );
    expect([timestamp(Date.UTC(2026, 0, 1, 0, 0, 10, 500)), timestamp(Date.UTC(2026, 0, 1))]).toEqual([
      "2026-01-01 00:00:10.5+00:00",
      "2026-01-01 00:00:00+00:00",
    ]);
  });

  it("is tsv where nobody looks, and names the formats it knows", () => {
    expect([formatOf(undefined, true), formatOf(undefined, false)]).toEqual(["table", "tsv"]);
    expect(() => formatOf("json", false)).toThrow(
      "(possible values: tsv, csv, table, records, sql, html, raw)",
    );
  });
});

describe("the command line", () => {
  it("prints its version without a server", async () => {
    const { code, stdout, stderr } = await cluster[0].run(cluster[0].path("/usr/bin/kwbase"), ["version"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(
      /^KaiwuDB Version: {2}3\.0\.0\nBuild Time: {7}\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d\nDistribution: {5}\nPlatform: {9}linux amd64 \(x86_64-linux-gnu\)\nGo Version: {7}go1\.21\.13\nC Compiler: {7}gcc 11\.4\.0\nBuild SHA-1: {6}[0-9a-f]{40}\n$/,
    );
  });

  it("prints errors on standard error, with the command's name, exit 1", async () => {
    const down = await cluster[0].run(cluster[0].path("/usr/bin/kwbase"), [
      "node",
      "status",
      "--insecure",
      "--host=127.0.0.1:1",
    ]);
    expect(down).toEqual({
      code: 1,
      stdout: "",
      stderr:
        'ERROR: cannot dial server.\nIs the server running?\nIf the server is running, check --host client-side and --advertise server-side.\n\ndial tcp 127.0.0.1:1: connect: connection refused\nFailed running "node status"\n',
    });
    expect((await cluster[0].kwbase("node", "status", "10000")).stderr).toBe(
      'ERROR: node 10000 doesn\'t exist\nFailed running "node status"\n',
    );
    expect((await cluster[0].kwbase("node", "status", "--bogus")).stderr).toContain(
      "ERROR: unknown flag: --bogus",
    );
    expect((await cluster[0].kwbase("frobnicate")).code).toBe(1);
  });

  it("refuses statements it does not know, and stops at the first error", async () => {
    const refused = await cluster[0].kwbase(
      "sql",
      "--format=csv",
      "-e",
      "SELECT 1",
      "-e",
      "DROP TABLE t",
      "-e",
      "SELECT 1",
    );
    expect([refused.code, refused.stdout]).toEqual([1, "?column?\n1\n"]);
    expect(refused.stderr).toBe(
      'ERROR: the stand-in does not know this statement: DROP TABLE t\nSQLSTATE: 0A000\nFailed running "sql"\n',
    );
    const last = await cluster[0].kwbase(
      "sql",
      "--set",
      "errexit=false",
      "-e",
      "DROP TABLE t",
      "-e",
      "SELECT 1",
    );
    expect([last.code, last.stdout]).toEqual([0, "?column?\n1\n"]);
    expect((await sql(cluster[0], "BACKUP TO 'x'")).stderr).toContain(
      "can only be used in the enterprise version",
    );
  });

  it("knows the settings, and shows a duration as an interval", async () => {
    const shown = async () =>
      (await sql(cluster[1], "SHOW CLUSTER SETTING server.time_until_store_dead")).stdout;
    expect(await shown()).toBe("server.time_until_store_dead\n00:30:00\n");
    expect((await sql(cluster[0], "SET CLUSTER SETTING server.time_until_store_dead = '1h30m'")).stdout).toBe(
      "SET CLUSTER SETTING\n",
    );
    expect(await shown()).toBe("server.time_until_store_dead\n01:30:00\n");
    await sql(cluster[0], "SET CLUSTER SETTING server.time_until_store_dead = '30m0s'");
    expect((await sql(cluster[0], "SHOW CLUSTER SETTING no.such")).stderr).toContain(
      'unknown setting: "no.such"',
    );
    expect((await sql(cluster[0], "SELECT version()")).stdout).toContain(
      "KaiwuDB 3.0.0 (x86_64-linux-gnu, built ",
    );
  });
});

describe("starting", () => {
  const start = (host: DemoHost, ...args: readonly string[]) =>
    host.run(host.path("/usr/local/kaiwudb/bin/kwbase"), args, 5000);

  it("in 3.x wants --brpc-addr in a cluster mode, which 2.x does not know", async () => {
    const host = await bench.host(old);
    const store = `--store=${host.path("/var/lib/kaiwudb")}`;
    expect((await start(host, "start", "--insecure", store, "--join=127.0.0.1:1")).stderr).toContain(
      "ERROR: --brpc-addr's port not specified",
    );
    const two = await bench.host(await bench.package("2.2.1"));
    expect(
      (await start(two, "start", "--insecure", store, "--join=127.0.0.1:1", "--brpc-addr=:2")).stderr,
    ).toContain("unknown flag: --brpc-addr");
  });

  it("refuses another mode than the store's, and a single node that is to join", async () => {
    const host = await bench.host(old);
    mkdirSync(host.path("/var/lib/kaiwudb"), { recursive: true });
    writeFileSync(host.path("/var/lib/kaiwudb/kwbase.start_mode"), "start-single-replica");
    const store = `--store=${host.path("/var/lib/kaiwudb")}`;
    const wrong = await start(host, "start", "--insecure", store, "--join=127.0.0.1:1", "--brpc-addr=:2");
    expect([wrong.code, wrong.stderr]).toEqual([
      1,
      expect.stringContaining(
        "check start mode failed! Node start mode is start, should be start-single-replica",
      ),
    ]);
    expect((await start(host, "start-single-node", "--insecure", "--join=127.0.0.1:1")).code).toBe(1);
  });

  it("waits for init: listens, is healthy, is not ready, answers no statement", async () => {
    const host = await bench.host(old);
    await host.run("systemctl", ["start", "kaiwudb"]);
    const page = async (query: string) =>
      fetch(`http://127.0.0.1:${host.options.ports.http}/health${query}`).catch(() => undefined);
    await until("it listens", 5000, () => page(""));
    expect((await page(""))?.status).toBe(200);
    const unready = await page("?ready=1");
    expect([unready?.status, await unready?.text()]).toEqual([
      503,
      expect.stringContaining("node is waiting for cluster initialization"),
    ]);
    expect((await host.kwbase("node", "drain")).stderr).toContain(
      "node cannot be drained before it has been initialized",
    );
    const mute = await host.run("env", [
      "KWBASE_CONNECT_TIMEOUT=0.3",
      host.path("/usr/bin/kwbase"),
      "node",
      "status",
      "--insecure",
      `--host=127.0.0.1:${host.options.ports.sql}`,
    ]);
    expect([mute.code, mute.stderr]).toEqual([1, expect.stringContaining("i/o timeout")]);
    await host.faults({ time_until_store_dead: "5m0s" });
    expect((await host.kwbase("init")).stdout).toBe("Cluster successfully initialized\n");
    await until("ready", 3000, async () => (await host.readyStatus()) === 200);
    const shown = await sql(host, "SHOW CLUSTER SETTING server.time_until_store_dead");
    expect(shown.stdout).toBe("server.time_until_store_dead\n00:05:00\n");
    expect(await host.kwbase("init")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("HINT: Please ensure all your start commands are using --join."),
    });
    expect(readFileSync(host.path("/var/log/journal/kaiwudb.log"), "utf8")).toMatch(
      /status: +initialized new cluster/,
    );
  });

  it("survives garbage on its ports", async () => {
    const { ports } = cluster[0].options;
    for (const port of [ports.sql, ports.http]) {
      await new Promise<void>((resolve) => {
        const socket = net.connect(port, "127.0.0.1", () =>
          socket.end(Buffer.from("\u0016\u0003\u0001{]\n\n\0garbage\n")),
        );
        socket.on("close", () => resolve()).on("error", () => resolve());
        socket.resume();
      });
    }
    expect((await status(cluster[0])).length).toBe(3);
  });
});

describe("three nodes", () => {
  it("agree on who is there, from each of them, in the columns of the real one", async () => {
    expect((await status(cluster[0])).map((row) => row["address"])).toEqual(
      cluster.map(({ options: { ip, ports } }) => `${ip}:${ports.sql}`),
    );
    for (const host of cluster) {
      const { stdout } = await host.kwbase("node", "status", "--format=csv");
      expect(stdout.split("\n")[0]).toBe(
        "id,address,sql_address,build,started_at,updated_at,locality,start_mode,is_available,is_live",
      );
      expect(
        rows(stdout).map((row) => [
          row["id"],
          row["build"],
          row["locality"],
          row["start_mode"],
          row["is_available"],
          row["is_live"],
        ]),
      ).toEqual(["1", "2", "3"].map((id) => [id, "3.0.0", `region=NODE${id}`, "start", "true", "true"]));
    }
    const all = Object.keys((await status(cluster[0], "--all"))[0] ?? {});
    expect(all.slice(10)).toEqual([
      "replicas_leaders",
      "replicas_leaseholders",
      "ranges",
      "ranges_unavailable",
      "ranges_underreplicated",
      "live_bytes",
      "key_bytes",
      "value_bytes",
      "intent_bytes",
      "system_bytes",
      "gossiped_replicas",
      "is_decommissioning",
      "is_draining",
    ]);
  });

  it("have kw-status where 3.1 or later installed them, and not where it only upgraded them", async () => {
    const [first] = cluster;
    expect((await first.run("kw-status", [])).code).not.toBe(0);
    const host = await bench.host(next, "single");
    await host.run("systemctl", ["start", "kaiwudb"]);
    await until("ready", 5000, async () => (await host.readyStatus()) === 200);
    const shown = await host.run("bash", [host.path("/usr/bin/kw-status"), "--format=csv"]);
    expect(shown.stdout).toMatch(/^id\taddress\t[^\n]*\n1\t[^\n]*\ttrue\ttrue\n$/);
  });

  it("serve metrics and node lists over HTTP", async () => {
    const page = async (path: string) => fetch(`http://127.0.0.1:${cluster[0].options.ports.http}${path}`);
    expect(await (await page("/_status/vars")).text()).toMatch(/^ranges_underreplicated 0$/m);
    const nodes = (await (await page("/_status/nodes")).json()) as { readonly livenessByNodeId: unknown };
    expect(nodes.livenessByNodeId).toEqual({ 1: 3, 2: 3, 3: 3 });
  });

  it("spread replicas and leases evenly, and unevenly when told", async () => {
    await until("even", 5000, async () => (await leases(cluster[0])).every((row) => row["count"] === "20"));
    const replicas = rows(
      (
        await sql(
          cluster[0],
          "SELECT unnest(replicas) AS node, count(*) FROM kwdb_internal.ranges_no_leases GROUP BY 1 ORDER BY 1",
        )
      ).stdout,
    );
    expect(replicas).toEqual(["1", "2", "3"].map((node) => ({ node, count: "60" })));
    await cluster[1].faults({ lease_weight: "0" });
    await until(
      "none for db2",
      3000,
      async () => !(await leases(cluster[0])).some((row) => row["lease_holder"] === "2"),
    );
    await cluster[1].faults({ lease_weight: "" });
  });

  it("show jobs, sessions and spoilt ranges that a host's faults name", async () => {
    await cluster[1].faults({
      import_job: "running",
      clients: "10.9.9.9:50001,10.9.9.8:50001",
      underreplicated_ranges: "4",
    });
    const jobs = await until("the job", 3000, async () => {
      const found = rows(
        (
          await sql(
            cluster[0],
            "SELECT job_type, status FROM [SHOW JOBS] WHERE job_type IN ('SCHEMA CHANGE','IMPORT') AND status = 'running'",
          )
        ).stdout,
      );
      return found.length > 0 && found;
    });
    expect(jobs).toEqual([{ job_type: "IMPORT", status: "running" }]);
    expect((await sql(cluster[0], "SHOW JOBS")).stdout).toMatch(
      /^job_id,job_type,description,statement,user_name,status,/,
    );
    expect(
      (await sql(cluster[0], "SELECT node_id, client_address FROM kwdb_internal.cluster_sessions")).stdout,
    ).toBe("node_id,client_address\n2,10.9.9.9:50001\n2,10.9.9.8:50001\n");
    await healthIs(cluster[0], "0,4");
    await cluster[1].faults({ import_job: "", clients: "", underreplicated_ranges: "" });
    await healthIs(cluster[0], "0,0");
  });

  it("see a node drained, stopped, dead, and back; leases follow; metrics lag", async () => {
    const [first, second] = cluster;
    const drained = await second.kwbase("node", "drain");
    expect([drained.code, drained.stdout]).toEqual([0, "ok\n"]);
    expect(drained.stderr).toMatch(
      /^node is draining\.\.\. remaining: \d+\nnode is draining\.\.\. remaining: 0 \(complete\)\n$/,
    );
    expect((await second.kwbase("node", "status")).stderr).toContain("server is not accepting clients");
    expect([await second.readyStatus(), await first.readyStatus()]).toEqual([503, 200]);
    expect((await leases(first)).map((row) => row["lease_holder"])).toEqual(["1", "3"]);
    expect((await status(first, "--decommission"))[1]).toMatchObject({
      is_draining: "true",
      is_live: "true",
      is_available: "true",
    });
    await second.run("systemctl", ["stop", "kaiwudb"]);
    expect((await status(first))[1]).toMatchObject({ is_available: "true" });
    await until("db1 notices", 3000, async () => (await status(first))[1]?.["is_available"] === "false");
    await until("db2 is gone", 3000, async () => (await status(first))[1]?.["is_live"] === "false");
    expect((await status(first))[1]).toMatchObject({
      build: "3.0.0",
      address: expect.stringContaining("127.0.0.2:"),
    });
    await healthIs(first, "0,60");
    await second.run("systemctl", ["start", "kaiwudb"]);
    await until("it serves", 5000, async () => (await second.readyStatus()) === 200);
    expect(
      (await sql(first, "SELECT epoch, draining FROM kwdb_internal.gossip_liveness WHERE node_id = 2"))
        .stdout,
    ).toBe("epoch,draining\n2,false\n");
    await healthIs(first, "0,0");
    await until("leases come back", 3000, async () => (await leases(first)).length === 3);
    expect(readFileSync(second.path("/var/log/journal/kaiwudb.log"), "utf8")).toMatch(
      /status: +restarted pre-existing node/,
    );
    expect(existsSync(second.path("/var/lib/kaiwudb/kwbase.advertise-addr"))).toBe(true);
  });

  it("miss a node that listens and never serves; the fault strikes once", async () => {
    const [first, second] = cluster;
    await second.faults({ never_ready: "once" });
    await second.run("systemctl", ["restart", "kaiwudb"]);
    await until("db1 notices", 4000, async () => (await status(first))[1]?.["is_live"] === "false");
    expect([await second.readyStatus(), await second.mainPid()]).toEqual([503, expect.any(Number)]);
    await second.run("systemctl", ["restart", "kaiwudb"]);
    await until("it serves", 5000, async () => (await second.readyStatus()) === 200);
    await healthIs(first, "0,0");
  });

  it("count the ranges and leases that a host's faults name", async () => {
    const [first, second] = cluster;
    await second.faults({ unavailable_ranges: "2", lease_weight: "5" });
    await healthIs(first, "2,0");
    await until("db2 holds most leases", 3000, async () => Number((await leases(first))[1]?.["count"]) > 40);
    await second.faults({ unavailable_ranges: "", lease_weight: "" });
    await healthIs(first, "0,0");
  });

  it("stop serving when two of three are gone, and serve again when one is back", async () => {
    const [first, second, third] = cluster;
    for (const host of [second, third]) await host.run("systemctl", ["stop", "kaiwudb"]);
    await until("db1 is not ready", 3000, async () => (await first.readyStatus()) === 503);
    const blocked = await first.run("timeout", [
      "0.7",
      first.path("/usr/bin/kwbase"),
      "sql",
      "--insecure",
      `--host=127.0.0.1:${first.options.ports.sql}`,
      "-e",
      "SHOW JOBS",
    ]);
    expect(blocked.code).toBe(124);
    await second.run("systemctl", ["start", "kaiwudb"]);
    await until("db1 is ready", 5000, async () => (await first.readyStatus()) === 200);
    await third.run("systemctl", ["start", "kaiwudb"]);
    await until("all are", 5000, async () => (await status(first)).every((row) => row["is_live"] === "true"));
    await healthIs(first, "0,0");
  });

  it("are upgraded in place when deploy.sh finds them running, and the mark goes with --upgrade-complete", async () => {
    const [first, second] = cluster;
    await sql(first, "SET CLUSTER SETTING server.time_until_store_dead = '45m'");
    const trace = bench.traced(second);
    const done = await bench.deploy(second, next, ["upgrade", "-l"], trace.env);
    expect([done.code, done.said]).toEqual([0, ["[UPGRADE COMPLETED]:Local node upgrade successfully."]]);
    for (const label of ["change KaiwuDB status", "restart KaiwuDB"])
      expect(done.out).toContain(`${label.padEnd(25)}: [`);
    expect(trace.calls().slice(-2)).toEqual(["systemctl daemon-reload", "systemctl restart kaiwudb"]);
    await until("db2 is back", 5000, async () => {
      const [, row] = await status(first);
      return row?.["build"] === "3.1.0" && row["is_available"] === "true";
    });
    expect(readFileSync(second.path("/etc/kaiwudb/script/kaiwudb_env"), "utf8")).toBe(
      'KAIWUDB_START_ARG=" "\n',
    );
    expect(readFileSync(second.path("/etc/kaiwudb/script/kaiwudb_envq"), "utf8")).toContain(
      "--upgrade-complete",
    );
    expect((await sql(first, "SHOW CLUSTER SETTING server.time_until_store_dead")).stdout).toContain(
      "00:30:00",
    );
  });

  it("carry the upgrading mark where an online upgrade broke off, and refuse another", async () => {
    const [first, , third] = cluster;
    await third.faults({ install_fails: "server once" });
    const done = await bench.deploy(third, next, ["upgrade", "-l"]);
    expect(done.said).toEqual([expect.stringMatching(/^\[ERROR\] KaiwuDB upgrade failed: .*\.$/)]);
    expect((await status(first))[2]).toMatchObject({ is_available: "false", is_live: "true" });
    expect(
      (await sql(first, "SELECT upgrading FROM kwdb_internal.gossip_liveness WHERE node_id = 3")).stdout,
    ).toBe("upgrading\ntrue\n");
    const again = await bench.deploy(third, next, ["upgrade", "-l"]);
    expect(again.said).toEqual([
      "[ERROR] KaiwuDB change status failed: Get node id failed: bash: line 1: ./kwbase: No such file or directory..",
    ]);
    const other = await first.kwbase("node", "upgrade", "1");
    expect([other.code, other.stderr]).toEqual([
      1,
      expect.stringContaining("can not upgrade nodes when cluster has node UPGRADING"),
    ]);
    const unfit = await first.kwbase("node", "upgrade", "3");
    expect(unfit.stdout).toBe(
      "Upgrade ternimated. Hint: node 3 is not eligible to upgrade, check the node status and upgrader later.\n",
    );
    expect((await first.kwbase("node", "decommission", "3")).stderr).toContain(
      "can not run node decommission when cluster has node UPGRADING",
    );
  });
});
