/**
 * A real PostgreSQL for a test: from the npm package of its binaries, in a folder of its own, on loopback, ended by pid.
 * Runs as nobody where the caller is root, which PostgreSQL does not accept.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { chownSync, closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import pg from "pg";
import { type Major, postgresFolder } from "./binaries.ts";

const run = promisify(execFile);
const nobody = 65534;
const startMs = 20_000;
const stopMs = 10_000;

export interface PostgresOptions {
  /** 17 where not told. */
  readonly major?: Major;
  /** As in postgresql.conf; they win over what every test server is started with. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Its first role, "kw" where not told. */
  readonly superuser?: string;
  /** The folder that its own is made in: that of the machine's temporary files where not told. */
  readonly within?: string;
  /** Whether what is committed outlives the machine: false where not told, for speed. */
  readonly fsync?: boolean;
}

/** A server as it is started, killed and started again. */
export class PostgresServer {
  readonly major: Major;
  readonly superuser: string;
  readonly port: number;
  /** All that is of this server, its socket too. */
  readonly folder: string;
  /** PGDATA: pg_hba.conf and what else a test wants to change before `restart` or a reload. */
  readonly data: string;
  readonly logFile: string;
  readonly #settings: Readonly<Record<string, string>>;
  #child: ChildProcess | undefined;

  /** @internal `startPostgres` makes one. */
  constructor(folder: string, port: number, options: PostgresOptions) {
    this.major = options.major ?? 17;
    this.superuser = options.superuser ?? "kw";
    this.port = port;
    this.folder = folder;
    this.data = path.join(folder, "data");
    this.logFile = path.join(folder, "server.log");
    this.#settings = { ...quick(options.fsync === true), ...options.settings };
  }

  /** Of the postmaster. */
  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined || !this.#runs()) throw new Error("this PostgreSQL does not run");
    return pid;
  }

  /** For a client of any user: loopback is trusted until a test edits pg_hba.conf. */
  get url(): string {
    return this.urlOf("postgres");
  }

  urlOf(database: string, role = this.superuser): string {
    return `postgres://${encodeURIComponent(role)}@127.0.0.1:${this.port}/${encodeURIComponent(database)}`;
  }

  async initdb(): Promise<void> {
    mkdirSync(this.data);
    const as = accountOf(this.folder, this.data);
    const words = ["-D", this.data, "-A", "trust", "-U", this.superuser, "--no-sync", "-E", "UTF8"];
    const program = path.join(postgresFolder(this.major), "bin/initdb");
    await run(program, [...words, "--locale=C.UTF-8"], { ...as, cwd: this.folder, timeout: startMs });
  }

  async start(): Promise<void> {
    const words = Object.entries(this.#settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    const log = openSync(this.logFile, "a");
    const child = spawn(
      path.join(postgresFolder(this.major), "bin/postgres"),
      [
        "-D",
        this.data,
        "-p",
        String(this.port),
        "-k",
        this.folder,
        "-c",
        "listen_addresses=127.0.0.1",
        ...words,
      ],
      { ...accountOf(), cwd: this.folder, stdio: ["ignore", log, log] },
    );
    closeSync(log);
    this.#child = child;
    for (const end = Date.now() + startMs; !(await answers(this.url)); await sleep(50)) {
      if (Date.now() < end && this.#runs()) continue;
      await this.kill();
      throw new Error(`PostgreSQL ${this.major} did not start:\n${this.log().slice(-2_000)}`);
    }
  }

  log(): string {
    return readFileSync(this.logFile, "utf8");
  }

  /** Clients are put out, what is committed is kept, it comes back under the same port. */
  async restart(): Promise<void> {
    await this.#end("SIGINT");
    await this.start();
  }

  /** As in a crash; `start` recovers. */
  kill(): Promise<void> {
    return this.#end("SIGQUIT");
  }

  /** Freezes the server's process of that pid, the postmaster where none is told; `resume` it before the end. */
  pause(pid = this.pid): void {
    process.kill(pid, "SIGSTOP");
  }

  resume(pid = this.pid): void {
    process.kill(pid, "SIGCONT");
  }

  /** For good: with its folder. */
  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.#runs()) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    // a frozen one hears it only now
    child.kill("SIGCONT");
    const late = new AbortController();
    const tooLong = sleep(stopMs, undefined, { signal: late.signal }).then(
      () => child.kill("SIGKILL"),
      () => false,
    );
    await gone;
    late.abort();
    await tooLong;
  }

  #runs(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }
}

export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const folder = mkdtempSync(path.join(options.within ?? tmpdir(), "lockkeeper-postgres-"));
  const server = new PostgresServer(folder, await freePort(), options);
  try {
    await server.initdb();
    await server.start();
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

function quick(fsync: boolean): Readonly<Record<string, string>> {
  const lasting = fsync ? "on" : "off";
  return { fsync: lasting, full_page_writes: lasting, max_connections: "50", shared_buffers: "16MB" };
}

/** Whom PostgreSQL runs as; these folders become that account's. */
function accountOf(...folders: readonly string[]): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {};
  for (const each of folders) chownSync(each, nobody, nobody);
  return { uid: nobody, gid: nobody };
}

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Whether it would talk to a client of its own: also one that it then does not let in. */
async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    return true;
  } catch (error) {
    // one that starts or recovers answers too, with this code
    return error instanceof pg.DatabaseError && error.code !== "57P03";
  } finally {
    await client.end().catch(() => undefined);
  }
}
