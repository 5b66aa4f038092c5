// A real host with Debian's own PostgreSQL: its packages, its cluster tools, its unit. The server is asked as its
// owner would ask it, through psql on the host.
import { randomBytes } from "node:crypto";
import {
  debianRoot,
  type Host,
  type Lab,
  mustRun,
  type RunOptions,
  type RunResult,
  type Suite,
  until,
} from "../harness/index.ts";
import { configurationOf } from "./configuration.ts";

export type Major = 15 | 17 | 18;

export interface PgHostSpec {
  readonly lab: Lab;
  /** Of the host, kebab-case. */
  readonly name: string;
  readonly major: Major;
  /** Last number of the host's address in the lab's network. */
  readonly number: number;
  /** Debian packages beyond the server's, such as `postgresql-15-pglogical`. */
  readonly packages?: readonly string[];
  /** Whether pages have checksums; as initdb of this major decides unless told. */
  readonly checksums?: boolean;
  /** Further lines of the server's configuration. */
  readonly settings?: readonly string[];
  /** UTF8 and C.UTF-8 unless told. */
  readonly encoding?: string;
  readonly locale?: string;
  /** Further words for initdb. */
  readonly initdb?: readonly string[];
}

export const port = 5432;

const suites: Readonly<Record<Major, Suite>> = { 15: "bookworm", 17: "trixie", 18: "forky" };
const socketFolder = "/var/run/postgresql";
const slowMs = 60_000;

export class PgHost {
  readonly host: Host;
  readonly major: Major;
  /** Name of the systemd unit. */
  readonly unit: string;
  /** Folder of this major's programs on the host. */
  readonly bin: string;
  readonly #passwords = new Map<string, string>();

  constructor(host: Host, major: Major, unit = `postgresql@${major}-main`) {
    this.host = host;
    this.major = major;
    this.unit = unit;
    this.bin = `/usr/lib/postgresql/${major}/bin`;
  }

  /** Where the server's rules of who may connect are. */
  get hbaFile(): string {
    return `/etc/postgresql/${this.major}/main/pg_hba.conf`;
  }

  /** The `engine` of the agent's own file on this host, as YAML flow. */
  get agentEngine(): string {
    const settings = [
      ...[`host: ${socketFolder}`, `port: ${port}`, "user: postgres"],
      ...[`tools: ${this.bin}`, "passfileFolder: /var/lib/postgresql"],
      ...this.moreSettings,
    ];
    return `{ kind: postgresql, settings: { ${settings.join(", ")} } }`;
  }

  /** Further settings of the engine in that file. */
  protected get moreSettings(): readonly string[] {
    return [`unit: ${this.unit}`, `data: ${this.dataFolder}`];
  }

  get dataFolder(): string {
    return `/var/lib/postgresql/${this.major}/main`;
  }

  /** LoadState and ActiveState of its unit. */
  async unitStanding(): Promise<string> {
    return this.host.must(["systemctl", "show", "-p", "LoadState,ActiveState", "--value", this.unit]);
  }

  /** As a person would who wants to see an old server again: it was stopped and masked. */
  async takeBack(): Promise<void> {
    await this.host.must(["systemctl", "unmask", this.unit]);
    await this.host.must(["systemctl", "start", this.unit]);
  }

  /** Runs statements through psql as postgres over the socket, stopping at the first error; answers what it said. */
  psql(database: string, text: string, options: Omit<RunOptions, "input"> = {}): Promise<RunResult> {
    const client = [`${this.bin}/psql`, "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", socketFolder, "-d", database];
    return this.host.exec(["runuser", "-u", "postgres", "--", ...client], { ...options, input: text });
  }

  /** As `psql`, for what must work: rows as lines, columns parted by `|`. */
  async sql(database: string, text: string): Promise<string> {
    const { code, stdout, stderr } = await this.psql(database, text);
    if (code === 0) return stdout.trim();
    throw new Error(`${this.host.name}: psql: ${code}\n${stderr.slice(-2000)}`);
  }

  /** Makes a role with a password of its own; answers with its address in `database`. */
  async createRole(role: string, attributes = "LOGIN", database = "postgres"): Promise<string> {
    const password = randomBytes(12).toString("hex");
    await this.sql("postgres", `CREATE ROLE "${role}" ${attributes} PASSWORD '${password}'`);
    this.knowRole(role, password);
    return this.url(role, database);
  }

  /** A role that came to be on this server in another way. */
  knowRole(role: string, password: string): void {
    this.#passwords.set(role, password);
  }

  /** Where a role that was made here connects over the lab's network. */
  url(role: string, database = "postgres"): string {
    return `postgresql://${role}:${encodeURIComponent(this.passwordOf(role))}@${this.host.ip}:${port}/${database}`;
  }

  passwordOf(role: string): string {
    const password = this.#passwords.get(role);
    if (password === undefined) throw new Error(`no role ${role} is known on ${this.host.name}`);
    return password;
  }

  async serves(): Promise<boolean> {
    return (await this.psql("postgres", "SELECT 1", { timeoutMs: 5_000 })).stdout.trim() === "1";
  }

  async untilServes(): Promise<void> {
    try {
      await until(`${this.host.name} serves`, () => this.serves(), slowMs);
    } catch (error) {
      throw new Error(`${String(error)}\n${(await this.log()).slice(-2000)}`);
    }
  }

  /** Process id of the postmaster, as seen in the host; 0 when systemd has none. */
  async postmasterPid(): Promise<number> {
    const shown = ["systemctl", "show", "--property", "MainPID", "--value", this.unit];
    return Number((await this.host.must(shown)).trim());
  }

  async startServer(): Promise<void> {
    await this.host.must(["systemctl", "start", this.unit], { timeoutMs: slowMs });
    await this.untilServes();
  }

  async stopServer(): Promise<void> {
    await this.host.must(["systemctl", "stop", this.unit], { timeoutMs: slowMs });
  }

  /** SIGKILL to the postmaster alone; its children notice and end. Waits until none is left. */
  async killServer(): Promise<void> {
    const pid = await this.postmasterPid();
    if (pid === 0) throw new Error(`no server runs on ${this.host.name}`);
    await this.host.must(["kill", "-KILL", String(pid)]);
    await until("no process of the server is left", async () => {
      return (await this.host.exec(["pgrep", "-u", "postgres", "-x", "postgres"])).code === 1;
    });
  }

  async powerOff(): Promise<void> {
    await this.host.powerOff();
  }

  /** Boots the host; the server comes up with it, because its unit is enabled. */
  async powerOn(): Promise<void> {
    await this.host.powerOn();
    await this.untilServes();
  }

  /** What the server wrote down since the cluster was made. */
  async log(): Promise<string> {
    return (await this.host.read(`/var/log/postgresql/postgresql-${this.major}-main.log`)) ?? "";
  }
}

/** Folder of the finished root with this major; builds it (about 20 s over the base) when it is not there yet. */
export function pgRoot(major: Major, packages: readonly string[] = []): Promise<string> {
  return debianRoot({ suite: suites[major], packages: [`postgresql-${major}`, ...packages] });
}

/** Why no host of this major can be had here; undefined where one can. Debian's unstable suites are not always whole. */
export async function lackOf(major: Major): Promise<string | undefined> {
  try {
    await pgRoot(major);
    return undefined;
  } catch (error) {
    const [last = ""] = String(error).trim().split("\n").slice(-1);
    return `no root of ${suites[major]} with PostgreSQL ${major}: ${last.slice(0, 300)}`;
  }
}

/** Boots the host and makes its cluster `main`; the server answers when this returns. */
export async function startPgHost(spec: PgHostSpec): Promise<PgHost> {
  const { major } = spec;
  const host = await bareHost(spec);
  await createCluster(host, spec);
  const server = new PgHost(host, major);
  await host.must(["systemctl", "daemon-reload"]);
  await host.must(["systemctl", "enable", "--now", "--quiet", server.unit], { timeoutMs: slowMs });
  await server.untilServes();
  return server;
}

/** Boots a host with the packages of this major, and no server. */
export async function bareHost({
  lab,
  name,
  major,
  number,
  packages,
}: Pick<PgHostSpec, "lab" | "name" | "major" | "number" | "packages">): Promise<Host> {
  return lab.host({
    name,
    root: await pgRoot(major, packages),
    ip: lab.ip.replace(/\d+$/, String(number)),
    unifiedCgroups: suites[major] === "forky",
    prepare: (folder) => dropPackaged(folder, major),
  });
}

/** The cluster that the package made is every host's of this root: each would pass for the other. */
export async function dropPackaged(rootFolder: string, major: Major): Promise<void> {
  await mustRun(["chroot", rootFolder, "pg_dropcluster", String(major), "main"]);
}

export async function createCluster(
  host: Host,
  spec: Pick<PgHostSpec, "major" | "lab" | "settings" | "checksums" | "encoding" | "locale" | "initdb">,
): Promise<void> {
  const { major, lab, settings = [], checksums, encoding = "UTF8", locale = "C.UTF-8", initdb = [] } = spec;
  const which = [String(major), "main"];
  const making = [
    "pg_createcluster",
    `--encoding=${encoding}`,
    `--locale=${locale}`,
    `--port=${port}`,
    ...which,
  ];
  // what is made here need not outlive this machine: only the server itself has to sync
  await host.must([...making, "--", "--no-sync", ...initdb, ...checksumWords(major, checksums)], {
    timeoutMs: slowMs,
  });
  const folder = `/etc/postgresql/${which.join("/")}`;
  const files = configurationOf({ ip: host.ip, net: lab.ip.replace(/\d+$/, "0/24"), settings });
  for (const [file, text] of Object.entries(files)) await host.write(`${folder}/${file}`, text, "0640");
  await host.must(["chown", "--recursive", "postgres:postgres", folder]);
}

/** Before 18 the word for none is not known, and none is what initdb makes. */
function checksumWords(major: Major, checksums: boolean | undefined): readonly string[] {
  if (checksums === undefined || (!checksums && major < 18)) return [];
  return [checksums ? "--data-checksums" : "--no-data-checksums"];
}
