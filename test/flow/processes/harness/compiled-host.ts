/** A demo host on which KWDB was compiled from source and is started by hand, with nohup: no unit knows of it. */
import { spawn } from "node:child_process";
import { appendFileSync } from "node:fs";
import { cp, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { executableOf, serversBelow } from "#agent/engines/kwdb/compiled-processes.ts";
import { DemoHost, type HostOptions, type Ran, type Topology } from "#test/doubles/host/create-host.ts";

/** On the host; the agent's file names it. */
export const programFolder = "/opt/kwdb";
const libraries = { LD_LIBRARY_PATH: "../lib" };
const lookEveryMs = 50;

const startCommand: Readonly<Record<Topology, string>> = {
  single: "start-single-node",
  "single-replication": "start-single-replica",
  "multi-replication": "start",
};

export class CompiledHost extends DemoHost {
  #isWatched = false;
  #watching = Promise.resolve();

  override async start(): Promise<void> {
    const cwd = path.join(this.path(programFolder), "bin");
    const env = { ...this.env, ...libraries };
    const stdio = "ignore" as const;
    spawn("nohup", ["./kwbase", ...wordsOf(this)], { cwd, env, detached: true, stdio }).unref();
    this.#watch();
  }

  override kwbase(...args: readonly string[]): Promise<Ran> {
    const folder = this.path(programFolder);
    const binary = path.join(folder, "bin/kwbase");
    const words = [...args, "--insecure", `--host=127.0.0.1:${this.options.ports.sql}`];
    return this.run("env", [`LD_LIBRARY_PATH=${path.join(folder, "lib")}`, binary, ...words]);
  }

  override async mainPid(): Promise<number> {
    return (await serversBelow(this.path(programFolder)))[0] ?? 0;
  }

  override async end(): Promise<void> {
    this.#isWatched = false;
    await this.#watching;
    await super.end();
  }

  /** Nobody but the host itself sees when its process comes and goes: written down as the demo hosts' systemctl does it. */
  #watch(): void {
    if (this.#isWatched) return;
    this.#isWatched = true;
    this.#watching = this.#record();
  }

  async #record(): Promise<void> {
    for (let pid = 0; this.#isWatched; await sleep(lookEveryMs)) {
      if (pid !== 0 && (await executableOf(pid)) !== undefined) continue;
      if (pid !== 0) this.#note("ended");
      pid = await this.mainPid();
      if (pid !== 0) this.#note("started");
    }
  }

  #note(what: "started" | "ended"): void {
    appendFileSync(this.path("/run/systemd/kaiwudb.history"), `${Date.now()} ${what}\n`);
  }
}

function wordsOf(host: CompiledHost): readonly string[] {
  const { topology, ip, ports, join } = host.options;
  return [
    startCommand[topology],
    "--insecure",
    `--listen-addr=0.0.0.0:${ports.sql}`,
    `--advertise-addr=${ip}:${ports.sql}`,
    `--http-addr=0.0.0.0:${ports.http}`,
    `--brpc-addr=0.0.0.0:${ports.brpc}`,
    `--store=${host.path("/var/lib/kwdb")}`,
    ...(topology === "single" ? [] : [`--join=${join}`]),
  ];
}

/** `options.installed`: the build that stands in the folder. */
export async function createCompiledHost(
  root: string,
  assets: string,
  options: HostOptions,
): Promise<DemoHost> {
  const host = new CompiledHost(root, options);
  for (const folder of ["/opt", "/etc/kwdb-double", "/var/lib/kwdb", "/run/systemd", "/tmp"])
    await mkdir(host.path(folder), { recursive: true });
  await cp(path.join(assets, "host-bin"), host.path("/host-bin"), { recursive: true });
  await cp(options.installed.folder, host.path(programFolder), { recursive: true });
  const knobs = `loopback_only=yes\ntick_scale=${options.tickScale ?? 1}\n`;
  await writeFile(host.path("/etc/kwdb-double/host"), knobs);
  return host;
}
