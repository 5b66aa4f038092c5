/** One folder a test file: assets, packages by version, hosts, and deploy.sh run the only way it can be judged. */
import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createHosts, stopCluster } from "#test/doubles/host/cluster.ts";
import { DemoHost, type Topology } from "#test/doubles/host/create-host.ts";
import { buildAssets } from "#test/doubles/kwdb/build-assets.ts";
import { type BuiltPackage, buildPackage, type PackageRequest } from "#test/doubles/kwdb/build-package.ts";

export interface Deployed {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
  /** Whether a child still lived in the process group after the script had ended. */
  readonly orphan: boolean;
  /** Everything but colours, blanks and progress: one line a message. */
  readonly said: readonly string[];
}

export interface Running {
  readonly child: ChildProcess;
  ended(): Promise<Deployed>;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the script's own colours
const colours = /\u001b\[[0-9;]*m/g;

function groupLives(pid: number): boolean {
  try {
    process.kill(-pid, 0);
    return true;
  } catch {
    return false;
  }
}

const messages = (out: string): readonly string[] =>
  out
    .split(/[\r\n]/)
    .map((line) => line.replaceAll(colours, "").trim())
    .filter((line) => line !== "" && !/: \[#* *\] \d+%$/.test(line))
    .map((line) => line.replace(/\[(ERROR|WARN)\] \d{4}-\d\d-\d\d \d\d:\d\d:\d\d /, "[$1] "));

export class Bench {
  readonly dir = mkdtempSync(path.join(os.tmpdir(), "kwdb-double-"));
  readonly #hosts: DemoHost[] = [];
  #assets: Promise<string> | undefined;
  readonly #models = new Map<string, Promise<readonly DemoHost[]>>();
  #runs = 0;

  /** A path of its own for each call. */
  #fresh(name: string): string {
    this.#runs += 1;
    return path.join(this.dir, `${name}-${this.#runs}`);
  }

  get assets(): Promise<string> {
    this.#assets ??= buildAssets(path.join(this.dir, "assets"));
    return this.#assets;
  }

  async package(version: string, more: Partial<PackageRequest> = {}): Promise<BuiltPackage> {
    const name = [version, more.extended ?? "", more.kind ?? ""].join("-");
    return buildPackage({
      assets: await this.assets,
      version,
      out: path.join(this.dir, "packages", name),
      ...more,
    });
  }

  async hosts(
    installed: BuiltPackage,
    names: readonly string[],
    tickScale = 0.1,
    topology: Topology = "multi-replication",
  ): Promise<readonly DemoHost[]> {
    const root = this.#fresh("hosts");
    const made = await createHosts({
      assets: await this.assets,
      installed,
      root,
      names,
      tickScale,
      topology,
    });
    this.#hosts.push(...made);
    return made;
  }

  /** One host of its own; those of one kind are copies, so only one of them may run at a time. */
  async host(installed: BuiltPackage, topology: Topology = "multi-replication"): Promise<DemoHost> {
    const kind = `${installed.folder} ${topology}`;
    const known = this.#models.get(kind) ?? this.hosts(installed, ["db1"], 0.1, topology);
    this.#models.set(kind, known);
    const [model] = await known;
    if (model === undefined) throw new Error("no host");
    const root = this.#fresh("host");
    cpSync(model.root, root, { recursive: true, verbatimSymlinks: true });
    const host = new DemoHost(root, model.options);
    await stopCluster(this.#hosts.filter((other) => other.options === model.options));
    this.#hosts.push(host);
    return host;
  }

  /** A second copy of a package, to be spoilt. */
  copy(built: BuiltPackage): BuiltPackage {
    const folder = this.#fresh("copy");
    cpSync(built.folder, folder, { recursive: true });
    return { ...built, folder };
  }

  /** deploy.sh in a group of its own, output to files; `env` may put more in front of PATH. */
  start(
    host: DemoHost,
    built: BuiltPackage,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    without: readonly string[] = [],
  ): Running {
    const stem = this.#fresh("run");
    const [out, err] = [openSync(`${stem}.out`, "w"), openSync(`${stem}.err`, "w")];
    const child = spawn("./deploy.sh", args, {
      cwd: built.folder,
      env: Object.fromEntries(
        Object.entries({ ...process.env, ...host.env, ...env }).filter(([name]) => !without.includes(name)),
      ),
      detached: true,
      stdio: ["ignore", out, err],
    });
    const exit = new Promise<readonly [number | null, NodeJS.Signals | null]>((resolve) =>
      child.once("exit", (code, signal) => resolve([code, signal])),
    );
    const ended = async () => {
      const [code, signal] = await exit;
      await sleep(50);
      const pid = child.pid ?? 0;
      const orphan = groupLives(pid);
      if (orphan) process.kill(-pid, "SIGKILL");
      const text = readFileSync(`${stem}.out`, "utf8");
      return {
        code,
        signal,
        out: text,
        err: readFileSync(`${stem}.err`, "utf8"),
        orphan,
        said: messages(text),
      };
    };
    return { child, ended };
  }

  async deploy(
    host: DemoHost,
    built: BuiltPackage,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Deployed> {
    return this.start(host, built, args, env).ended();
  }

  /** Stand-in tools that write down how they were called before they do it. */
  traced(host: DemoHost): { readonly env: Readonly<Record<string, string>>; calls(): readonly string[] } {
    const folder = this.#fresh("trace");
    const log = path.join(folder, "calls");
    cpSync(path.join(host.root, "host-bin"), folder, { recursive: true });
    for (const tool of ["dpkg", "systemctl"]) {
      const text = `#!/bin/bash\necho "${tool} $*" >> ${log}\nexec ${path.join(host.root, "host-bin", tool)} "$@"\n`;
      writeFileSync(path.join(folder, tool), text, { mode: 0o755 });
    }
    return {
      env: { PATH: `${folder}:${host.env["PATH"] ?? ""}` },
      calls: () => readFileSync(log, "utf8").trim().split("\n"),
    };
  }

  async end(): Promise<void> {
    await stopCluster(this.#hosts);
    rmSync(this.dir, { recursive: true, force: true });
  }
}

export async function until<T>(
  what: string,
  deadlineMs: number,
  look: () => Promise<T | undefined | false>,
): Promise<T> {
  for (const end = Date.now() + deadlineMs; Date.now() < end; await sleep(30)) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
  }
  throw new Error(`not within ${deadlineMs} ms: ${what}`);
}

/** Rows of a csv answer without quotes, as objects. */
export function rows(csv: string): readonly Readonly<Record<string, string>>[] {
  const [header = "", ...lines] = csv.trim().split("\n");
  const names = header.split(",");
  return lines.map((line) => Object.fromEntries(line.split(",").map((cell, at) => [names[at] ?? "", cell])));
}
