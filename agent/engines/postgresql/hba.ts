/** One line of ours in pg_hba.conf, before all others: the first that fits decides. Taken out again by the role it names. */
import { readFile, realpath, stat } from "node:fs/promises";
import { isIP } from "node:net";
import { writeFileDurably } from "../../host/file-runner.ts";
import type { StepContext } from "../../verb.ts";
import { ask, stop } from "./desk.ts";
import { readsFile, serverAccount } from "./server-files.ts";
import type { Means } from "./settings.ts";

/** In place of an address: this host's own socket. */
export const ownSocket = "local";

const pauseMs = 50;

interface Line {
  readonly role: string;
  readonly from: string;
}

async function fileOf(
  context: StepContext,
  means: Means,
): Promise<{ readonly named: string; readonly path: string }> {
  const [row] = await ask(context, means, (sql) => sql.rows("SHOW hba_file"));
  const named = row?.["hba_file"] ?? "";
  return { named, path: await realpath(context.host.path(named)) };
}

function lineOf({ role, from }: Line): string {
  if (from === ownSocket) return `local all ${role} scram-sha-256`;
  const address = isIP(from) === 4 ? `${from}/32` : isIP(from) === 6 ? `${from}/128` : from;
  return `host all ${role} ${address} scram-sha-256`;
}

function isLineOf(line: string, role: string): boolean {
  return /^(host|local) all /.test(line) && line.split(" ")[2] === role;
}

/** In the file, whatever the server has read of it. */
export async function hasHbaLine(context: StepContext, means: Means, role: string): Promise<boolean> {
  const { path } = await fileOf(context, means);
  return (await linesIn(path)).some((line) => isLineOf(line, role));
}

/** In the file, and read by the server since; a rename is a change of the file too, which its mtime does not tell. */
export async function isHbaLineInForce(context: StepContext, means: Means, line: Line): Promise<boolean> {
  const { path } = await fileOf(context, means);
  const { ctimeMs } = await stat(path);
  if (!(await linesIn(path)).includes(lineOf(line))) return false;
  return isLoadedSince(context, means, String(ctimeMs / 1_000));
}

async function linesIn(path: string): Promise<readonly string[]> {
  return (await readFile(path, "utf8")).split("\n");
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

/**
 * Owner and mode stay, unless the server cannot read the file as it lies: then it is given to the server's account. A file
 * whose lines it does not take is put back as it was.
 */
async function rewrite(
  context: StepContext,
  means: Means,
  change: (lines: readonly string[]) => readonly string[],
): Promise<void> {
  const { named, path } = await fileOf(context, means);
  const { uid, gid, mode } = await stat(path);
  const isRead = (await readsFile(context, means, named)).ok;
  const owner = isRead ? { uid, gid } : await serverAccount(context, means);
  const write = (text: string) => writeFileDurably(path, text, mode & 0o777, owner);
  const before = await readFile(path, "utf8");
  const after = change(before.split("\n")).join("\n");
  if (after !== before || !isRead) await write(after);
  const bad = await ask(context, means, (sql) =>
    sql.rows("SELECT line_number::text, error FROM pg_hba_file_rules WHERE error IS NOT NULL"),
  );
  if (bad.length > 0) {
    await write(before);
    const [first] = bad;
    stop("postgresql.hba-unreadable", {
      file: path,
      line: first?.["line_number"] ?? "",
      cause: first?.["error"] ?? "",
    });
  }
  await reload(context, means, path);
}

const reloadMs = 10_000;

async function reload(context: StepContext, means: Means, file: string): Promise<void> {
  const { clock } = context.host;
  const [row] = await ask(context, means, (sql) =>
    sql.rows("SELECT extract(epoch FROM clock_timestamp())::text AS now, pg_reload_conf()"),
  );
  for (const endMs = clock.monotonicMs() + reloadMs; ; ) {
    if (await isLoadedSince(context, means, row?.["now"] ?? "")) return;
    if (clock.monotonicMs() > endMs || context.signal.aborted) stop("postgresql.not-reloaded", { file });
    await clock.sleep(pauseMs, context.signal).catch(() => undefined);
  }
}

/** `seconds`: of the epoch. Asked by a new session, which has what the postmaster had when it was forked. */
async function isLoadedSince(context: StepContext, means: Means, seconds: string): Promise<boolean> {
  const [row] = await ask(context, means, (sql) =>
    sql.rows("SELECT (pg_conf_load_time() > to_timestamp($1::float8))::text AS is", [seconds]),
  );
  return row?.["is"] === "true";
}
