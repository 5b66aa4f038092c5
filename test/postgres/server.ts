/**
 * A real PostgreSQL for a test: from the npm package of its binaries, in a folder of its own, on loopback, ended by pid.
 * Runs as nobody where the caller is root, which PostgreSQL does not accept.
 */
import { execFile, spawn } from "node:child_process";
import { chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);
const nobody = 65534;
const startMs = 20_000;

export interface PostgresServer {
  readonly port: number;
  /** For a client of any user: loopback is trusted. */
  readonly url: string;
  stop(): Promise<void>;
}

/** The folder with bin/, lib/ and share/; the package's own links are made where its install script did not run. */
export function postgresFolder(): string {
  const folder = path.dirname(path.dirname(createRequire(import.meta.url).resolve("pg17")));
  const links = JSON.parse(readFileSync(path.join(folder, "native/pg-symlinks.json"), "utf8")) as readonly {
    readonly source: string;
    readonly target: string;
  }[];
  for (const { source, target } of links) {
    try {
      symlinkSync(path.basename(source), path.join(folder, target));
    } catch {
      // made before
    }
  }
  return path.join(folder, "native");
}

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export async function startPostgres(): Promise<PostgresServer> {
  const native = postgresFolder();
  const folder = mkdtempSync(path.join(tmpdir(), "lockkeeper-postgres-"));
  const data = path.join(folder, "data");
  mkdirSync(data);
  const asRoot = process.getuid?.() === 0;
  if (asRoot) for (const each of [folder, data]) chownSync(each, nobody, nobody);
  const as = asRoot ? { uid: nobody, gid: nobody } : {};
  const initdb = ["-D", data, "-A", "trust", "-U", "kw", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"];
  await run(path.join(native, "bin/initdb"), initdb, { ...as, cwd: folder, timeout: startMs });
  const port = await freePort();
  const settings = ["fsync=off", "full_page_writes=off", "max_connections=50", "shared_buffers=16MB"];
  const words = settings.flatMap((each) => ["-c", each]);
  const server = spawn(
    path.join(native, "bin/postgres"),
    ["-D", data, "-p", String(port), "-k", folder, "-c", "listen_addresses=127.0.0.1", ...words],
    { ...as, cwd: folder, stdio: ["ignore", "ignore", "ignore"] },
  );
  const stop = async () => {
    const gone = new Promise((resolve) => server.once("exit", resolve));
    if (server.exitCode === null && server.kill("SIGQUIT")) await gone;
    rmSync(folder, { recursive: true, force: true });
  };
  for (const end = Date.now() + startMs; ; await sleep(50)) {
    if (await answers(port)) return { port, url: `postgres://kw@127.0.0.1:${port}/postgres`, stop };
    if (Date.now() < end && server.exitCode === null) continue;
    await stop();
    throw new Error("PostgreSQL did not start");
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1");
    // the length and code of an SSLRequest: a server that is ready answers S or N
    socket.once("connect", () => socket.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])));
    const tell = (is: boolean) => {
      socket.destroy();
      resolve(is);
    };
    socket.once("data", () => tell(true));
    socket.once("error", () => tell(false));
  });
}
