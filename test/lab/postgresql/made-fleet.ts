// A move from one host with a server to another that has packages and an agent, and no server yet.

import { type TypedCommand, wordsOf } from "#test/contract/documents/page.ts";
import type { RunResult } from "../harness/index.ts";
import { bareHost, type Major, PgHost, startPgHost } from "./pg-host.ts";
import { MoveStory } from "./story.ts";

const major: Major = 17;

export const places = {
  data: `/var/lib/postgresql/${major}/main`,
  config: `/etc/postgresql/${major}/main`,
  fast: "/srv/fast",
} as const;

/** Its agent may make one. */
class HostToBe extends PgHost {
  protected override get moreSettings(): readonly string[] {
    const made = [
      ...[`unit: ${this.unit}`, `bin: ${this.bin}`, `data: ${places.data}`, `config: ${places.config}`],
      ...[`listen: ${this.host.ip}`, `tablespaces: { fast: ${places.fast} }`],
    ];
    return [...super.moreSettings, `made: { ${made.join(", ")} }`];
  }

  /** Whether the host is as if nothing had ever been made: what is still there. */
  async left(): Promise<readonly string[]> {
    const wanted = [places.data, places.config, "/etc/postgresql/17", "/var/lib/postgresql/17", places.fast];
    const found: string[] = [];
    for (const path of wanted) if ((await this.host.exec(["test", "-e", path])).code === 0) found.push(path);
    for (const folder of ["made", "moving"]) {
      const listed = await this.host.exec(["ls", "-A", `/var/lib/lockkeeper-agent/${folder}`]);
      found.push(...listed.stdout.split("\n").filter((line) => line !== ""));
    }
    const unit = await this.host.exec(["systemctl", "is-enabled", this.unit]);
    return unit.stdout.trim() === "enabled" ? [...found, `${this.unit} is enabled`] : found;
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

export async function beginMade(
  name: string,
): Promise<{ readonly story: MoveStory; readonly young: HostToBe }> {
  let young: HostToBe | undefined;
  const story = await MoveStory.begin({
    name,
    old: 15,
    new: major,
    oldServers: async (lab) => [
      await startPgHost({
        ...{ lab, name: "pg-old", major: 15, number: 11, settings },
        ...{ checksums: true, encoding: "LATIN1", locale: "C" },
      }),
    ],
    newServer: async (lab) => {
      young = new HostToBe(await bareHost({ lab, name: "pg-new", major, number: 21 }), major);
      return young;
    },
  });
  if (young === undefined) throw new Error("no new host");
  const { old } = story.fleet;
  await old.host.must(["install", "-d", "-o", "postgres", "-g", "postgres", places.fast]);
  await old.sql("postgres", `CREATE TABLESPACE fast LOCATION '${places.fast}'`);
  await old.sql("shop", "CREATE TABLE quick (id int PRIMARY KEY, body text) TABLESPACE fast");
  await old.sql("shop", "INSERT INTO quick SELECT i, chr(228) FROM generate_series(1, 100) AS i");
  return { story, young };
}

/** A line of the page as it stands there, for this lab's version; its files in the lab's own folder. */
export async function typedLine(story: MoveStory, { text, exitCode }: TypedCommand): Promise<RunResult> {
  const line = text
    .replaceAll(/\b[a-z]+\.json\b/g, (file) => story.fleet.lab.file(file))
    .replace("--to 18", `--to ${major}`);
  const [, ...words] = wordsOf(line);
  return story.typed(exitCode, ...words);
}
