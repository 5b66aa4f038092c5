/** The old server's configuration, sent to the new host: texts alone, no key, and no password of a standby. */
import { readdir, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { makeFolderDurably } from "../../../host/file-runner.ts";
import { markFolder } from "../../../host/marks.ts";
import { done } from "../../../outcome.ts";
import { type Host, type StepContext, type StepResult, type Verb, verb } from "../../../verb.ts";
import { ask, must, resultOf } from "../desk.ts";
import { readUnit } from "../on-host/unit.ts";
import type { Means } from "../settings.ts";
import type { Sql } from "../sql.ts";
import { ofDebian, type Parcel, parcelName } from "./parcel.ts";
import { hasPassword, isElsewhere, takenInBy, withoutSecrets } from "./taken-text.ts";

export function sendingVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.send-configuration",
      class: "observe",
      args: z.strictObject({}),
      run: (context) => resultOf(() => send(context, means)),
    }),
  ];
}

async function send(context: StepContext, means: Means): Promise<StepResult> {
  const folder = join(markFolder(context), "made");
  await makeFolderDurably(folder);
  try {
    const sent = await parcelOf(context, means);
    const file = join(folder, parcelName);
    await writeFile(file, JSON.stringify(sent), { mode: 0o600 });
    must(await context.parcels.send(parcelName, file));
    return done({ files: sent.files.map(({ name }) => name).join(", ") });
  } finally {
    await rm(folder, { recursive: true, force: true });
    // unless something else of this rollout lies there
    await rmdir(markFolder(context)).catch(() => undefined);
  }
}

async function parcelOf(context: StepContext, means: Means): Promise<Parcel> {
  const { host } = context;
  const places = await ask(context, means, readPlaces);
  const unit = means.settings.unit ?? null;
  const { files, elsewhere } = await collect(host, places);
  return {
    data: places.data,
    config: dirname(places.config),
    unit,
    isEnabled: unit === null ? null : must(await readUnit(host, unit)).file.startsWith("enabled"),
    files,
    auto: withoutSecrets(await textOf(host, join(places.data, "postgresql.auto.conf"))),
    certificates: places.certificates,
    elsewhere,
  };
}

interface Places {
  readonly config: string;
  readonly hba: string;
  readonly ident: string;
  readonly data: string;
  readonly certificates: string[];
}

const encrypting = ["ssl_cert_file", "ssl_key_file", "ssl_ca_file", "ssl_crl_file", "ssl_dh_params_file"];

async function readPlaces(sql: Sql): Promise<Places> {
  const rows = await sql.rows("SELECT name, setting FROM pg_settings WHERE name = ANY ($1::text[])", [
    `{config_file,hba_file,ident_file,data_directory,ssl,${encrypting.join(",")}}`,
  ]);
  const set = (name: string) => rows.find((row) => row["name"] === name)?.["setting"] ?? "";
  return {
    config: set("config_file"),
    hba: set("hba_file"),
    ident: set("ident_file"),
    data: set("data_directory"),
    certificates: set("ssl") === "on" ? encrypting.map(set).filter((each) => each !== "") : [],
  };
}

async function collect(
  host: Host,
  { config, hba, ident, data }: Places,
): Promise<Pick<Parcel, "files" | "elsewhere">> {
  const folder = dirname(config);
  const files = new Map<string, string>();
  const elsewhere = new Set<string>();
  const take = async (name: string, path: string): Promise<void> => {
    if (files.has(name)) return;
    const found = await textOf(host, path);
    const text = withoutSecrets(found);
    files.set(name, text);
    if (hasPassword(found)) elsewhere.add(`lines of ${name} with a password`);
    for (const { kind, path: named } of takenInBy(text)) {
      const within = join(dirname(name), named);
      if (isElsewhere(named) || isElsewhere(within)) elsewhere.add(named);
      else if (kind === "file") await take(within, join(folder, within));
      else
        for (const each of await configurationsIn(host, join(folder, within)))
          await take(join(within, each), join(folder, within, each));
    }
  };
  await take("postgresql.conf", config);
  await take("pg_hba.conf", hba);
  await take("pg_ident.conf", ident);
  if (folder !== data)
    for (const name of ofDebian)
      if ((await textOf(host, join(folder, name))) !== "") await take(name, join(folder, name));
  return { files: [...files].map(([name, text]) => ({ name, text })), elsewhere: [...elsewhere] };
}

/** What a server takes in of a folder: names that end so and do not begin with a point. */
async function configurationsIn(host: Host, folder: string): Promise<readonly string[]> {
  const entries = await readdir(host.path(folder), { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => !entry.isDirectory() && entry.name.endsWith(".conf") && !entry.name.startsWith("."))
    .map(({ name }) => name)
    .sort();
}

/** Empty where there is none: `include_if_exists`, or a file that nobody has made. */
async function textOf(host: Host, path: string): Promise<string> {
  try {
    return await readFile(host.path(path), "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    throw error;
  }
}
