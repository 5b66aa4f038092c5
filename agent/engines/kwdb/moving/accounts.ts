/**
 * Users and cluster settings, from the files that EXPORT has written: those that the new cluster lacks are imported, the
 * others are told by name. Passwords are in no export.
 */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import type { Facts } from "#proto/common/failure.ts";
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import { writeFileDurably } from "../../../host/file-runner.ts";
import { markOf } from "../../../host/marks.ts";
import { done, failed, failedBy } from "../../../outcome.ts";
import { type StepResult, type Verb, verb } from "../../../verb.ts";
import { nothing } from "../args.ts";
import type { Means } from "../installation.ts";
import { askTable, type Desk, errorIn, statement, withDesk } from "./desk.ts";
import { manifestSent, receive } from "./receiving.ts";
import { sortSettings } from "./settings-carried.ts";

/** What a try has found to do, before it did it: the same after a restart, when part of it may be done. */
const plannedSchema = z.object({
  attempt: z.number(),
  text: z.string(),
  told: z.record(z.string(), z.string()),
  wanted: z.record(z.string(), z.string()),
});
type Planned = Omit<z.infer<typeof plannedSchema>, "attempt">;

export function accountVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "kwdb.import-users",
      class: "reversible",
      args: nothing,
      run: (context) => withDesk(context, means, importUsers),
      probe: async () => ({ state: "not-done" }),
    }),
    verb({
      name: "kwdb.import-settings",
      class: "reversible",
      args: nothing,
      run: (context) => withDesk(context, means, importSettings),
      probe: async () => ({ state: "not-done" }),
    }),
  ];
}

async function importUsers(desk: Desk): Promise<StepResult> {
  const planned = await planOnce(desk, "users", async (text, earlier) => {
    const here = await namesOfUsers(desk);
    return here.ok ? succeed(newUsers(text, here.value, Object.keys(earlier?.wanted ?? {}))) : here;
  });
  if (!planned.ok) return failedBy(planned.failure);
  const why = await take(desk, planned.value, { what: "users", file: "users.sql", words: "USERS" });
  if (why !== undefined) return why;
  const here = await namesOfUsers(desk);
  if (!here.ok) return failedBy(here.failure);
  const missing = Object.keys(planned.value.wanted).filter((name) => !here.value.includes(name));
  return missing.length === 0
    ? done(planned.value.told)
    : failed("kwdb.accounts-missing", { what: "users", missing: missing.join(", ") });
}

/**
 * The name in `CREATE USER name …`; other statements go along as they are, unless nobody is new. `ours`: made by an
 * earlier try of this rollout, which may have ended before it came to the others.
 */
export function newUsers(text: string, here: readonly string[], ours: readonly string[] = []): Planned {
  const statements = text
    .split(/;[ \t]*(?:\r?\n|$)/)
    .map((each) => each.trim())
    .filter((each) => each !== "");
  const named = statements.map((each) => ({ each, name: createdBy(each) }));
  const created = named.flatMap(({ name }) => name ?? []);
  const wanted = created.filter((name) => !here.includes(name) || ours.includes(name));
  const left = created.filter((name) => !wanted.includes(name));
  const kept = named.filter(({ name }) => name === undefined || !here.includes(name)).map(({ each }) => each);
  const others = named.filter(({ name }) => name === undefined);
  const told: Record<string, string> = { users: wanted.join(", ") || "none" };
  if (left.length > 0) told["told.users"] = `left as they are on the new cluster: ${left.join(", ")}`;
  if (wanted.length > 0)
    told["told.passwords"] = `in no export; set one for each who has one: ${wanted.join(", ")}`;
  const isEmpty = wanted.length === 0 || kept.length === 0;
  if (wanted.length === 0 && others.length > 0)
    told["told.users-words"] = `not carried, since every user was there before: ${others
      .map(({ each }) => each)
      .join("; ")}`.slice(0, 2_000);
  return {
    text: isEmpty ? "" : `${kept.join(";\n")};\n`,
    told,
    wanted: Object.fromEntries(wanted.map((name) => [name, ""])),
  };
}

function createdBy(sql: string): string | undefined {
  const found = /^CREATE\s+(?:USER|ROLE)\s+(?:IF\s+NOT\s+EXISTS\s+)?("(?:[^"]|"")+"|'[^']+'|[^\s;]+)/i.exec(
    sql,
  );
  const name = found?.[1];
  if (name === undefined) return undefined;
  return /^["']/.test(name) ? name.slice(1, -1).replaceAll('""', '"') : name.toLowerCase();
}

/** The first column, whatever this version calls it. */
async function namesOfUsers(desk: Desk): Promise<Outcome<readonly string[]>> {
  const rows = await askTable(desk, "SHOW USERS", { columns: [] });
  if (!rows.ok) return rows;
  const names = rows.value.flatMap((row) => Object.values(row)[0] ?? []);
  return names.includes("root")
    ? succeed(names)
    : fail("kwdb.answer-unreadable", { wanted: "root", found: names.join(",").slice(0, 200) });
}

async function importSettings(desk: Desk): Promise<StepResult> {
  const planned = await planOnce(desk, "settings", async (text) => {
    const here = await settingsHere(desk);
    if (!here.ok) return here;
    const { carried, left } = sortSettings(text, here.value);
    const told: Record<string, string> = {
      settings: carried.map(({ name, value }) => `${name}=${value}`).join(", ") || "none",
    };
    if (left.length > 0)
      told["told.settings"] = `not carried: ${left.map(({ name, why }) => `${name} (${why})`).join("; ")}`;
    return succeed({
      text: carried.map(({ statement: sql }) => `${sql};\n`).join(""),
      told,
      wanted: Object.fromEntries(carried.map(({ name, value }) => [name, value])),
    });
  });
  if (!planned.ok) return failedBy(planned.failure);
  const { wanted, told } = planned.value;
  const file = { what: "settings", file: "clustersetting.sql", words: "CLUSTER SETTING" };
  const why = await take(desk, planned.value, file);
  if (why !== undefined) return why;
  const here = await settingsHere(desk);
  if (!here.ok) return failedBy(here.failure);
  // a value may be written in other words than it was set in: told, for a person to look at
  const differ = Object.entries(wanted).filter(([name, value]) => here.value[name] !== value);
  const words = differ.map(([name, value]) => `${name} is ${here.value[name] ?? "not set"}, was ${value}`);
  return done(words.length === 0 ? told : { ...told, "told.settings-differ": words.join("; ") });
}

async function settingsHere(desk: Desk): Promise<Outcome<Readonly<Record<string, string>>>> {
  const sql = "SELECT variable, value FROM kwdb_internal.cluster_settings";
  const rows = await askTable(desk, sql, { columns: ["variable", "value"] });
  if (!rows.ok) return rows;
  return succeed(Object.fromEntries(rows.value.map((row) => [row["variable"] ?? "", row["value"] ?? ""])));
}

async function planOnce(
  desk: Desk,
  what: "users" | "settings",
  plan: (text: string, earlier: Planned | undefined) => Promise<Outcome<Planned>>,
): Promise<Outcome<Planned>> {
  const { attempt } = desk.context;
  const mark = markOf(desk.context, `import-${what}`, plannedSchema);
  const known = await mark.read();
  if (known?.attempt === attempt) return succeed(known);
  const manifest = await manifestSent(desk, what);
  if (!manifest.ok) return manifest;
  const why = await receive(desk, what, manifest.value);
  if (why !== undefined) return { ok: false, failure: why };
  const [first] = manifest.value.files;
  const text = await readFile(`${desk.path(what)}/${first?.path ?? ""}`, "utf8");
  const planned = await plan(text, known);
  if (planned.ok) await mark.write({ attempt, ...planned.value });
  return planned;
}

/** Writes the statements that are left into the place of the file, and has the database read it. */
async function take(
  desk: Desk,
  { text }: Planned,
  { what, file, words }: { readonly what: string; readonly file: string; readonly words: string },
): Promise<StepResult | undefined> {
  if (text === "") return undefined;
  await writeFileDurably(`${desk.path(what)}/${file}`, text, 0o644);
  const sql = `IMPORT ${words} SQL DATA ("${desk.url(what)}/${file}")`;
  const ran = await desk.context.tool(statement(desk, sql));
  if (ran.exitCode === 0) return undefined;
  const facts: Facts = { what, cause: errorIn(ran.tail) };
  return failed("kwdb.accounts-not-imported", facts, ran.tail);
}
