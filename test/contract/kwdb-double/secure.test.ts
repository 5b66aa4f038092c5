/** The stand-in with certificates: what the agent asks goes over TLS, and whoever has no certificate is told so. */
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createHosts, startCluster, stopCluster } from "#test/doubles/host/cluster.ts";
import type { DemoHost } from "#test/doubles/host/create-host.ts";
import { makeAuthority } from "#test/doubles/kwdb/make-certs.ts";
import { KwdbDriver } from "../agent/kwdb/driver.ts";
import { Bench } from "./fixture.ts";

describe("a secure cluster", () => {
  const bench = new Bench();
  let hosts: readonly DemoHost[] = [];
  let first: DemoHost;
  beforeAll(async () => {
    const authority = await makeAuthority(path.join(bench.dir, "authority"));
    const installed = await bench.package("3.0.0");
    const root = path.join(bench.dir, "secure");
    const names = ["db1", "db2", "db3"];
    hosts = await createHosts({
      assets: await bench.assets,
      installed,
      root,
      names,
      tickScale: 0.2,
      authority,
    });
    await startCluster(hosts);
    [first] = hosts as [DemoHost];
  }, 90_000);
  afterAll(async () => {
    await stopCluster(hosts);
    await bench.end();
  });

  const at = () => `--host=127.0.0.1:${first.options.ports.sql}`;
  const kwbase = (...words: readonly string[]) =>
    first.run(first.path("/usr/local/kaiwudb/bin/kwbase"), ["node", "status", at(), ...words]);

  it("serves its own client, and nobody without a certificate of its authority", async () => {
    expect((await first.kwbase("node", "status", "--format=csv")).stdout).toMatch(/^3,.*,true,true$/m);
    expect(await kwbase("--insecure")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("node is running secure mode, SSL connection required"),
    });
    const stranger = path.join(bench.dir, "stranger");
    await makeAuthority(stranger);
    expect((await kwbase(`--certs-dir=${stranger}`)).code).toBe(1);
    expect((await kwbase(`--certs-dir=${bench.dir}`)).stderr).toContain("SSL connection required");
  });

  it("is asked by the agent as any other, to the last fact", async () => {
    const agent = new KwdbDriver(first, bench.dir);
    const full = await agent.fullFacts();
    const unknown = Object.entries(full).filter(([, value]) => value !== undefined && "unknown" in value);
    expect(unknown).toEqual([]);
    expect(full).toMatchObject({ mode: { value: { security: "tls" } }, ready: { value: true } });
    const at = (port: "sql" | "http") =>
      hosts.slice(1).map(({ options: { ip, ports } }) => `${ip}:${ports[port]}`);
    const looked = {
      version: "3.0.0",
      target: "3.1.0",
      peers: at("sql").join(","),
      pages: at("http").join(","),
    };
    await expect.poll(() => agent.outcome("look-around", looked), { timeout: 30_000 }).toBe("done");
  });
});
