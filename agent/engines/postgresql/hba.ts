/** One line of ours in pg_hba.conf, before all others: the first that fits decides. Taken out again by the role it names. */
import { chown, readFile, realpath, stat } from "node:fs/promises";
import { isIP } from "node:net";
import { writeFileDurably } from "../../host/file-runner.ts";
import type { StepContext } from "../../verb.ts";
import { ask, stop } from "./desk.ts";
import type { Means } from "./settings.ts";

/** In place of an address: this host's own socket. */
export const ownSocket = "local";

interface Line {
  readonly role: string;
  readonly from: string;
}

async function fileOf(context: StepContext, means: Means): Promise<string> {
  const [row] = await ask(context, means, (sql) => sql.rows("SHOW hba_file"));
  return realpath(context.host.path(row?.["hba_file"] ?? ""));
}

function lineOf({ role, from }: Line): string {
  if (from === ownSocket) return `local all ${role} scram-sha-256`;
  const address = isIP(from) === 4 ? `${from}/32` : isIP(from) === 6 ? `${from}/128` : from;
  return `host all ${role} ${address} scram-sha-256`;
}

function isLineOf(line: string, role: string): boolean {
  return /^(host|local) all /.test(line) && line.split(" ")[2] === role;
}

export async function hasHbaLine(
  context: StepContext,
  means: Means,
  wanted: { readonly role: string; readonly from?: string },
): Promise<boolean> {
  const lines = (await readFile(await fileOf(context, means), "utf8")).split("\n");
  const { role, from } = wanted;
  return lines.some((line) => (from === undefined ? isLineOf(line, role) : line === lineOf({ role, from })));
}

export async function addHbaLine(context: StepContext, means: Means, line: Line): Promise<void> {
  await rewrite(context, means, (lines) => [
    lineOf(line),
    ...lines.filter((each) => !isLineOf(each, line.role)),
  ]);
}

export async function removeHbaLine(context: StepContext, means: Means, role: string): Promise<void> {
  await rewrite(context, means, (lines) => lines.filter((each) => !isLineOf(each, role)));
}

/** Owner and mode stay; a file that the server would not read is put back as it was. */
async function rewrite(
  context: StepContext,
  means: Means,
  change: (lines: readonly string[]) => readonly string[],
): Promise<void> {
  const path = await fileOf(context, means);
  const before = await readFile(path, "utf8");
  const after = change(before.split("\n")).join("\n");
  if (after !== before) await write(path, after);
  const bad = await ask(context, means, (sql) =>
    sql.rows("SELECT line_number::text, error FROM pg_hba_file_rules WHERE error IS NOT NULL"),
  );
  if (bad.length > 0) {
    await write(path, before);
    const [first] = bad;
    stop("postgresql.hba-unreadable", {
      file: path,
      line: first?.["line_number"] ?? "",
      cause: first?.["error"] ?? "",
    });
  }
  await ask(context, means, (sql) => sql.rows("SELECT pg_reload_conf()"));
}

async function write(path: string, text: string): Promise<void> {
  const { uid, gid, mode } = await stat(path);
  await writeFileDurably(path, text, mode & 0o777);
  await chown(path, uid, gid);
}
