/** A node compiled from source on a demo host, started as an operator starts it: by hand, with nohup. */
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect } from "vitest";
import { serversOfFile } from "#agent/engines/kwdb/compiled-processes.ts";
import { DemoHost, freePorts, type HostOptions } from "#test/doubles/host/create-host.ts";
import { type BuiltProgram, buildProgram } from "#test/doubles/kwdb/build-program.ts";
import type { Bench } from "../../kwdb-double/fixture.ts";
import { KwdbDriver } from "./driver.ts";

export const folder = "/opt/kwdb";
/** In the environment of the process; it must come back, and must be told nowhere. */
export const secret = "do-not-tell";

export class CompiledNode {
  readonly host: DemoHost;
  readonly agent: KwdbDriver;
  readonly sql: number;

  constructor(host: DemoHost, agent: KwdbDriver) {
    this.host = host;
    this.agent = agent;
    this.sql = host.options.ports.sql;
  }

  get binary(): string {
    return this.host.path(`${folder}/bin/kwbase`);
  }

  async pid(): Promise<number> {
    return (await serversOfFile(this.binary))[0] ?? 0;
  }

  async start(libraries = "../lib"): Promise<void> {
    const { sql, http, brpc } = this.host.options.ports;
    const words = [
      ...[
        "start-single-node",
        "--insecure",
        `--listen-addr=127.0.0.1:${sql}`,
        `--http-addr=127.0.0.1:${http}`,
      ],
      ...[`--brpc-addr=127.0.0.1:${brpc}`, "--store", this.host.path("/var/lib/kwdb")],
    ];
    const child = spawn("nohup", ["prlimit", "--nofile=1000:2000", "./kwbase", ...words], {
      cwd: path.dirname(this.binary),
      env: { ...this.host.env, LD_LIBRARY_PATH: libraries, SECRET: `${secret} $x "y"` },
      detached: true,
      stdio: "ignore",
    });
    child.unref();
    await expect.poll(() => this.host.readyStatus(), { timeout: 20_000 }).toBe(200);
  }

  async end(): Promise<void> {
    for (const pid of await serversOfFile(this.binary)) process.kill(pid, "SIGKILL");
  }
}

export async function compiledNode(bench: Bench, built: BuiltProgram): Promise<CompiledNode> {
  const root = mkdtempSync(path.join(bench.dir, "compiled-"));
  const [sql = 0, http = 0, brpc = 0] = await freePorts(3);
  const options = { name: "db1", ip: "127.0.0.1", ports: { sql, http, brpc }, tickScale: 0.1 } as HostOptions;
  const host = new DemoHost(root, options);
  cpSync(path.join(await bench.assets, "host-bin"), host.path("/host-bin"), { recursive: true });
  mkdirSync(host.path("/opt"));
  cpSync(built.folder, host.path(folder), { recursive: true });
  for (const each of ["/etc/kwdb-double", "/var/lib/kwdb"]) mkdirSync(host.path(each), { recursive: true });
  writeFileSync(host.path("/etc/kwdb-double/host"), "loopback_only=yes\ntick_scale=0.1\n");
  return new CompiledNode(host, new KwdbDriver(host, bench.dir, { settings: { program: { folder } } }));
}

export async function buildOf(
  bench: Bench,
  version: string,
  more: Partial<Parameters<typeof buildProgram>[0]> = {},
): Promise<BuiltProgram> {
  const out = path.join(mkdtempSync(path.join(bench.dir, "build-")), `kwdb-${version}`);
  return buildProgram({ assets: await bench.assets, version, out, ...more });
}
