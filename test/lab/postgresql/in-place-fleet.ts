// One host with Debian's PostgreSQL 17 and 18, an agent that may upgrade the one to the other, and an application that writes all
// through. Debian's forky has 18 alone: the tree of 17 comes from trixie, with the two libraries that forky has in newer versions.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { expect } from "vitest";
import type { Plan } from "#coordinator/domain/plan.ts";
import { type TypedCommand, wordsOf } from "#test/contract/documents/page.ts";
import { proveRows, type WriterLog } from "#test/postgres/rows-proof.ts";
import { startWriter, type Writer } from "#test/postgres/writer.ts";
import { createLab, type Host, type Lab, mustRun, type RunResult } from "../harness/index.ts";
import { mustBeBuilt, ProductFleet } from "../product/product.ts";
import { configurationOf } from "./configuration.ts";
import { createCluster, dropPackaged, lackOf, PgHost, pgRoot, port } from "./pg-host.ts";
import { openRoad, type Road } from "./road.ts";

export const cluster = "orders";
export const node = "db1";
const commandMs = 400_000;
const old = 17;
const young = 18;

export interface InPlaceSpec {
  readonly name: string;
  /** The cluster's settings, as YAML flow without braces. */
  readonly settings?: string;
  /** Units of one's own and configuration in the data folder, as elsewhere than on Debian. */
  readonly isPlain?: boolean;
  /** Its data lies on an xfs, whose files may share their blocks. */
  readonly isOnXfs?: boolean;
}

/** Why there is no such host here; undefined where there is. */
export async function lackOfBoth(): Promise<string | undefined> {
  return (await lackOf(old)) ?? (await lackOf(young));
}

export class InPlaceFleet extends ProductFleet {
  override readonly clusterName = cluster;
  override readonly acknowledged: readonly string[] = [];
  readonly host: Host;
  /** Two servers of one host, of which one at a time serves. */
  readonly old: PgHost;
  readonly new: PgHost;
  readonly #spec: InPlaceSpec;
  #road: Road | undefined;
  #writer: Writer | undefined;
  rolloutId = "";

  constructor(spec: InPlaceSpec, lab: Lab, host: Host) {
    super(lab);
    this.#spec = spec;
    this.host = host;
    this.old = new PgHost(host, old);
    this.new = new PgHost(host, young);
  }

  static async start(spec: InPlaceSpec): Promise<InPlaceFleet> {
    await mustBeBuilt();
    const lab = await createLab({ name: spec.name });
    try {
      const fleet = new InPlaceFleet(spec, lab, await bothMajors(lab, spec));
      await fleet.#begin();
      return fleet;
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
  }

  override get hosts(): readonly Host[] {
    return [this.host];
  }

  get writer(): Writer {
    if (this.#writer === undefined) throw new Error("nobody writes yet");
    return this.#writer;
  }

  get #url(): string {
    return this.#road?.url("app", "shop") ?? "";
  }

  async planned(...more: readonly string[]): Promise<Plan> {
    const words = ["--to", String(young), "--method", "pg-upgrade", ...more, "-o", this.planFile];
    const made = await this.cli("plan", cluster, ...words);
    expect(made.code, await this.explained(made)).toBe(0);
    return JSON.parse(await readFile(this.planFile, "utf8")) as Plan;
  }

  /** A line of the page as it stands there, its files in the lab's own folder. */
  async typedLine({ text, exitCode, place }: TypedCommand): Promise<RunResult> {
    const [, ...words] = wordsOf(text.replaceAll(/\b[a-z]+\.json\b/g, (name) => this.lab.file(name)));
    const ended = await this.longCli(commandMs, ...words);
    await this.#mustEnd(exitCode, `${place}: ${text}`, ended);
    return ended;
  }

  /** Applies the plan's file with a word for each check that asks for one. */
  async applied(code: number, file = this.planFile): Promise<RunResult> {
    const { asks } = JSON.parse(await readFile(file, "utf8")) as Plan;
    const words = asks.flatMap((check) => ["--ack", check]);
    const applied = await this.applyFile(file, commandMs, ...words);
    await this.#mustEnd(code, "apply", applied);
    this.rolloutId = (await this.rollout()).id;
    return applied;
  }

  async typed(code: number, ...words: readonly string[]): Promise<RunResult> {
    const ended = await this.longCli(commandMs, ...words);
    await this.#mustEnd(code, words.join(" "), ended);
    return ended;
  }

  approve(code: number): Promise<RunResult> {
    return this.typed(code, "approve", this.rolloutId);
  }

  async goBack(): Promise<RunResult> {
    const file = this.lab.file("back.json");
    await this.must("plan", "--back", this.rolloutId, "-o", file);
    return this.applied(0, file);
  }

  /** So many more rows, by whichever server serves. */
  async writesOn(count: number, limitMs = 30_000): Promise<void> {
    await this.writer.accepted(this.writer.log.accepted.length + count, limitMs);
  }

  /** Ends the writer; every row of which it was told must be there, once and as it was left. */
  async prove(): Promise<WriterLog> {
    const log = await this.writer.stop();
    const client = new pg.Client({ connectionString: this.#url, connectionTimeoutMillis: 10_000 });
    client.on("error", () => undefined);
    await client.connect();
    try {
      const nothingWrong = { lost: [], doubled: [], stale: [], strange: [] };
      expect(await proveRows(log, client)).toEqual(nothingWrong);
    } finally {
      await client.end();
    }
    console.log(
      `${log.accepted.length} rows accepted; ${log.unknown.length} unknown; nobody was served for ${Math.round(log.longestPauseMs)} ms`,
    );
    return log;
  }

  async #begin(): Promise<void> {
    await this.old.createRole("app");
    await this.old.sql("postgres", "CREATE DATABASE shop OWNER app");
    await this.old.sql("shop", tables.join("; "));
    this.#road = await openRoad(this.lab, this.old);
    this.#writer = startWriter({ urls: [this.#url], table: "written" });
    const layout = this.#spec.isPlain === true ? plainLayout : debianLayout;
    const inPlace = { ...layout, bin: this.old.bin, newBin: this.new.bin };
    const settings = { host: "/var/run/postgresql", tools: this.new.bin, inPlace };
    const engine = JSON.stringify({ kind: "postgresql", settings });
    await Promise.all([this.startCoordinator(), this.placeAgent({ host: this.host, node, engine })]);
    await this.applyClusters({
      [cluster]: [
        "engine: postgresql",
        "topology: standalone",
        "deployment: script",
        "gates: { every: 500ms, dwell: 1s, limit: 5m }",
        `settings: { ${this.#spec.settings ?? ""} }`,
        `nodes: { ${node}: { address: "${this.host.ip}:${port}" } }`,
      ],
    });
    await this.untilAttached();
    await this.writer.accepted(20);
  }

  async #mustEnd(code: number, what: string, ended: RunResult): Promise<void> {
    if (ended.code === code) return;
    const why = await this.cli("why", cluster);
    throw new Error(`${what}: ${ended.code}, not ${code}\n${why.stdout}\n${await this.explained(ended)}`);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer?.stop();
    await super[Symbol.asyncDispose]();
  }
}

const debianLayout = {
  ...{ unit: `postgresql@${old}-main`, newUnit: `postgresql@${young}-main` },
  ...{ data: `/var/lib/postgresql/${old}/main`, newData: `/var/lib/postgresql/${young}/main` },
  ...{ config: `/etc/postgresql/${old}/main`, newConfig: `/etc/postgresql/${young}/main` },
};

const plainLayout = {
  ...{ unit: "pg-old", newUnit: "pg-new" },
  ...{ data: "/srv/old/data", newData: "/srv/new/data" },
};

const tables = [
  "CREATE TABLE written (id bigint PRIMARY KEY, body text)",
  "CREATE TABLE bare (a int, b text)",
  "INSERT INTO bare SELECT i, 'x' || i FROM generate_series(1, 500) AS i",
  "CREATE SEQUENCE free START 40 INCREMENT 3",
  "SELECT nextval('free'), nextval('free')",
  "SELECT lo_from_bytea(0, 'large')",
  "CREATE EXTENSION hstore",
  "GRANT ALL ON ALL TABLES IN SCHEMA public TO app",
];

async function bothMajors(lab: Lab, { isPlain = false, isOnXfs = false }: InPlaceSpec): Promise<Host> {
  const [from, root] = [await pgRoot(old), await pgRoot(young)];
  const host = await lab.host({
    name: "pg-both",
    root,
    ip: lab.ip.replace(/\d+$/, "31"),
    unifiedCgroups: true,
    prepare: async (folder) => {
      await dropPackaged(folder, young);
      await carryTree(from, folder);
    },
  });
  if (isOnXfs) {
    await host.smallDisk("/var/lib/postgresql", 4_096, "xfs");
    await host.must(["chown", "postgres:postgres", "/var/lib/postgresql"]);
  }
  await (isPlain ? plainServer(lab, host) : debianServer(lab, host));
  const running = new PgHost(host, old);
  await running.untilServes();
  return host;
}

// 18 does not know this setting of Debian's 17
const settings = ["extension_destdir = ''", "fsync = on"];

async function debianServer(lab: Lab, host: Host): Promise<void> {
  await createCluster(host, { lab, major: old, settings });
  await host.must(["systemctl", "daemon-reload"]);
  await host.must(["systemctl", "enable", "--now", "--quiet", debianLayout.unit], { timeoutMs: 60_000 });
}

async function plainServer(lab: Lab, host: Host): Promise<void> {
  const { data, newData, unit, newUnit } = plainLayout;
  const program = (major: number) => `/usr/lib/postgresql/${major}/bin`;
  for (const [name, major, folder] of [
    [unit, old, data],
    [newUnit, young, newData],
  ] as const)
    await host.write(
      `/usr/local/lib/systemd/system/${name}.service`,
      `[Service]\nType=notify\nUser=postgres\nExecStart=${program(major)}/postgres -D ${folder}\nKillSignal=SIGINT\n[Install]\nWantedBy=multi-user.target\n`,
    );
  await host.must(["install", "-d", "-o", "postgres", "-g", "postgres", "/srv/old", "/var/run/postgresql"]);
  const words = ["--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums", "--wal-segsize=32", "--no-sync"];
  const initdb = [`${program(old)}/initdb`, `--pgdata=${data}`, ...words];
  await host.must(["runuser", "-u", "postgres", "--", ...initdb], { timeoutMs: 60_000 });
  const files = configurationOf({ ip: host.ip, net: lab.ip.replace(/\d+$/, "0/24"), settings });
  for (const [file, text] of Object.entries(files)) await host.write(`${data}/${file}`, text, "0640");
  const include = `printf "include_dir = 'conf.d'\n" >>"$1/postgresql.conf"; chown -R postgres:postgres "$1"`;
  await host.must(["sh", "-ec", include, "sh", data]);
  await host.must(["systemctl", "daemon-reload"]);
  await host.must(["systemctl", "enable", "--now", "--quiet", unit], { timeoutMs: 60_000 });
}

const libraries = ["libicui18n.so.76", "libicuuc.so.76", "libicudata.so.76", "libxml2.so.2"];

async function carryTree(from: string, into: string): Promise<void> {
  const own = "usr/local/lib/postgresql-17";
  await mustRun(["mkdir", "-p", join(into, own)]);
  for (const folder of ["usr/lib/postgresql", "usr/share/postgresql"])
    await mustRun(["cp", "--archive", join(from, folder, String(old)), join(into, folder)]);
  // it would want a compiler of its own; a server without it compiles nothing
  await mustRun(["rm", join(into, "usr/lib/postgresql", String(old), "lib/llvmjit.so")]);
  for (const library of libraries)
    await mustRun(["cp", "--dereference", join(from, "usr/lib/x86_64-linux-gnu", library), join(into, own)]);
  await mustRun([
    "sh",
    "-ec",
    `echo /${own} >"$1/etc/ld.so.conf.d/postgresql-17.conf"; chroot "$1" ldconfig`,
    "sh",
    into,
  ]);
}
