/** NATS servers for tests: fetched as the product fetches them, each in a folder of its own, ended with the test. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "@nats-io/transport-node";
import { type EmbeddedNats, startEmbedded } from "#coordinator/nats/embedded.ts";
import { systemClock } from "#proto/common/clock.ts";

export function natsBinary(suite = "forky"): string {
  return execFileSync(new URL("../../../deploy/nats/fetch.sh", import.meta.url).pathname, [suite], {
    encoding: "utf8",
    timeout: 400_000,
  }).trim();
}

export interface TestNats extends AsyncDisposable {
  readonly server: EmbeddedNats;
  readonly folder: string;
}

/** The server that a coordinator without `nats.servers` runs. */
export async function startTestNats(): Promise<TestNats> {
  const folder = mkdtempSync(join(tmpdir(), "lockkeeper-nats-"));
  const server = await startEmbedded({
    binary: natsBinary(),
    folder,
    clock: systemClock,
    startLimitMs: 20_000,
  });
  return {
    server,
    folder,
    [Symbol.asyncDispose]: async () => {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A server with a configuration of the test's own, that can be killed, frozen and started again. */
export class PlainServer {
  readonly name: string;
  readonly url: string;
  readonly #binary: string;
  readonly #folder: string;
  #child: ChildProcess | undefined;

  constructor(options: {
    readonly name: string;
    readonly binary: string;
    readonly folder: string;
    readonly port: number;
    readonly configuration: string;
  }) {
    this.name = options.name;
    this.url = `nats://127.0.0.1:${options.port}`;
    this.#binary = options.binary;
    this.#folder = options.folder;
    const listen = `server_name: "${options.name}"\nlisten: "127.0.0.1:${options.port}"\n`;
    writeFileSync(join(this.#folder, `${this.name}.conf`), `${listen}${options.configuration}`);
  }

  start(): void {
    const log = openSync(join(this.#folder, `${this.name}.log`), "a");
    this.#child = spawn(this.#binary, ["-c", join(this.#folder, `${this.name}.conf`)], {
      stdio: ["ignore", log, log],
    });
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  /** Where it runs already, only its answer is waited for. */
  async startAgain(): Promise<void> {
    if (!this.#runs()) this.start();
    await this.answers();
  }

  #runs(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.#runs()) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
  }

  async answers(): Promise<void> {
    for (let tries = 0; ; tries += 1) {
      const connection = await connect({ servers: this.url, reconnect: false }).catch((error: unknown) => {
        if (tries > 200) throw error;
      });
      if (connection !== undefined) return connection.close();
      await systemClock.sleep(50);
    }
  }
}

export interface Servers extends AsyncDisposable {
  readonly servers: readonly PlainServer[];
  readonly urls: readonly string[];
  byName(name: string): PlainServer;
}

/** Three servers that are one JetStream cluster, every write synced. */
export async function startCluster(): Promise<Servers> {
  const ports = await freePorts(6);
  const routes = ports.slice(3).map((port) => `"nats://127.0.0.1:${port}"`);
  return startAll("lockkeeper-cluster-", (folder) =>
    ["n1", "n2", "n3"].map((name, index) => ({
      name,
      binary: natsBinary(),
      folder,
      port: ports[index] ?? 0,
      configuration: `cluster { name: "lock", listen: "127.0.0.1:${ports[index + 3]}", routes: [${routes.join(", ")}] }
jetstream { store_dir: "${join(folder, name)}", sync_interval: always }
`,
    })),
  );
}

/** One server of another suite's version. */
export async function startPlain(suite: string): Promise<Servers> {
  const [port = 0] = await freePorts(1);
  return startAll("lockkeeper-plain-", (folder) => [
    {
      name: "n1",
      binary: natsBinary(suite),
      folder,
      port,
      configuration: `jetstream { store_dir: "${join(folder, "store")}" }\n`,
    },
  ]);
}

async function startAll(
  prefix: string,
  describe: (folder: string) => readonly ConstructorParameters<typeof PlainServer>[0][],
): Promise<Servers> {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  const servers = describe(folder).map((options) => new PlainServer(options));
  for (const server of servers) server.start();
  await Promise.all(servers.map((server) => server.answers()));
  return {
    servers,
    urls: servers.map(({ url }) => url),
    byName: (name) => {
      const found = servers.find((server) => server.name === name);
      if (found === undefined) throw new Error(`no server ${name}`);
      return found;
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(servers.map((server) => server.kill()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function freePorts(count: number): Promise<readonly number[]> {
  const listeners = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    listeners.map(
      (listener) =>
        new Promise<number>((resolve) =>
          listener.listen(0, "127.0.0.1", () => {
            const address = listener.address();
            resolve(typeof address === "object" && address !== null ? address.port : 0);
          }),
        ),
    ),
  );
  await Promise.all(listeners.map((listener) => new Promise((resolve) => listener.close(resolve))));
  return ports;
}
