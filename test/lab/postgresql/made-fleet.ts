// A move from one host with a server to another that has packages and an agent, and no server yet.
import { type TypedCommand, wordsOf } from "#test/contract/documents/page.ts";
import { debianRoot, debsFor, type Host, type Lab, type RunResult } from "../harness/index.ts";
import { archive, openArchive } from "./package-archive.ts";
import { bareHost, type Major, PgHost, type PgHostSpec, startPgHost } from "./pg-host.ts";
import { MoveStory } from "./story.ts";

/** Where the new server is made. */
interface Place {
  readonly unit: string;
  readonly data: string;
  readonly config?: string;
}

export const fast = "/srv/fast";

export const debianPlace: Place & { readonly config: string } = {
  unit: "postgresql@17-main",
  data: "/var/lib/postgresql/17/main",
  config: "/etc/postgresql/17/main",
};

/** A unit of one's own, and the configuration in the data folder. */
const plainPlace: Place = { unit: "pg-new", data: "/srv/pg/data" };

/** Its agent may make a server. */
class HostToBe extends PgHost {
  readonly #place: Place;
  readonly #packages: readonly string[];

  /** `packages`: those that it may install. */
  constructor(host: Host, major: Major, place: Place, packages: readonly string[] = []) {
    super(host, major, place.unit);
    this.#place = place;
    this.#packages = packages;
  }

  override get dataFolder(): string {
    return this.#place.data;
  }

  protected override get moreSettings(): readonly string[] {
    const { unit, data, config } = this.#place;
    const made = [
      ...[`unit: ${unit}`, `bin: ${this.bin}`, `data: ${data}`],
      ...(config === undefined ? [] : [`config: ${config}`]),
      ...[`listen: ${this.host.ip}`, `tablespaces: { fast: ${fast} }`],
    ];
    const packages = this.#packages.length === 0 ? [] : [`packages: [${this.#packages.join(", ")}]`];
    return [...super.moreSettings, `made: { ${made.join(", ")} }`, ...packages];
  }

  /** What is there of a server; nothing where the host is as if none had ever been made. */
  async left(): Promise<readonly string[]> {
    const { data, config = data, unit } = this.#place;
    const found: string[] = [];
    for (const path of new Set([data, config, "/etc/postgresql/17", "/var/lib/postgresql/17", fast]))
      if ((await this.host.exec(["test", "-e", path])).code === 0) found.push(path);
    for (const folder of ["made", "moving"]) {
      const listed = await this.host.exec(["ls", "-A", `/var/lib/lockkeeper-agent/${folder}`]);
      found.push(...listed.stdout.split("\n").filter((line) => line !== ""));
    }
    const { stdout } = await this.host.exec(["systemctl", "is-enabled", unit]);
    return stdout.trim() === "enabled" ? [...found, `${unit} is enabled`] : found;
  }
}

/** Of the old server: nothing of this is what initdb of the new version would take by itself. */
const settings = [
  "archive_mode = on",
  "archive_command = '/bin/true'",
  "shared_preload_libraries = 'pg_stat_statements'",
  // gone since 16
  "vacuum_defer_cleanup_age = 0",
  "work_mem = 7MB",
];

interface MadeSpec extends Pick<PgHostSpec, "checksums" | "encoding" | "locale" | "initdb"> {
  readonly name: string;
  /** Of the new server; 17 on Debian's places, 18 on plain ones. */
  readonly major: 17 | 18;
  /** The new host has no PostgreSQL at all: its packages lie in an archive that its apt knows. */
  readonly isBare?: true;
}

export interface MadeStory {
  readonly story: MoveStory;
  readonly young: HostToBe;
}

export async function beginMade({ name, major, isBare, ...birth }: MadeSpec): Promise<MadeStory> {
  let young: HostToBe | undefined;
  const story = await MoveStory.begin({
    name,
    old: 15,
    new: major,
    oldServers: async (lab) => [
      await startPgHost({ lab, name: "pg-old", major: 15, number: 11, settings, ...birth }),
    ],
    newServer: async (lab) => {
      if (isBare === true) {
        young = new HostToBe(await hostOfNothing(lab), 17, debianPlace, [server]);
        return young;
      }
      const host = await bareHost({ lab, name: "pg-new", major, number: 21 });
      if (major === 18) await placePlainUnit(host);
      young = new HostToBe(host, major, major === 18 ? plainPlace : debianPlace);
      return young;
    },
  });
  if (young === undefined) throw new Error("no new host");
  const { old } = story.fleet;
  await old.host.must(["install", "-d", "-o", "postgres", "-g", "postgres", fast]);
  await old.sql("postgres", `CREATE TABLESPACE fast LOCATION '${fast}'`);
  await old.sql("shop", "CREATE TABLE quick (id int PRIMARY KEY, body text) TABLESPACE fast");
  await old.sql("shop", "INSERT INTO quick SELECT i, chr(228) FROM generate_series(1, 100) AS i");
  return { story, young };
}

const server = "postgresql-17";

async function hostOfNothing(lab: Lab): Promise<Host> {
  const root = await debianRoot({ suite: "trixie" });
  const host = await lab.host({ name: "pg-new", root, ip: lab.ip.replace(/\d+$/, "21") });
  await host.copyIn(await debsFor({ suite: "trixie", packages: [server] }), archive);
  await openArchive(host);
  await host.must(["apt-get", "update"]);
  return host;
}

async function placePlainUnit(host: Host): Promise<void> {
  const { unit, data } = plainPlace;
  const start = `/usr/lib/postgresql/18/bin/postgres -D ${data}`;
  await host.write(
    `/usr/local/lib/systemd/system/${unit}.service`,
    `[Service]\nType=notify\nUser=postgres\nExecStart=${start}\nKillSignal=SIGINT\n[Install]\nWantedBy=multi-user.target\n`,
  );
  await host.must(["install", "-d", "-o", "postgres", "-g", "postgres", "/var/run/postgresql"]);
  await host.must(["systemctl", "daemon-reload"]);
}

/** A line of the page as it stands there, for this lab's version; its files in the lab's own folder. */
export async function typedLine(
  { story, young }: MadeStory,
  { text, exitCode }: TypedCommand,
): Promise<RunResult> {
  const line = text
    .replaceAll(/\b[a-z]+\.json\b/g, (file) => story.fleet.lab.file(file))
    .replace("--to 18", `--to ${young.major}`);
  const [, ...words] = wordsOf(line);
  return story.typed(exitCode, ...words);
}
