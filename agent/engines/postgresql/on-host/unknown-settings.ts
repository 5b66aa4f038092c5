/** A version reads a configuration that was written for an older one: what it does not know is put aside, by its own word. */
import { readFile, stat } from "node:fs/promises";
import { writeFileDurably } from "../../../host/file-runner.ts";
import type { Host } from "../../../verb.ts";
import { stop } from "../desk.ts";
import { type Complaint, complaintsIn, putAside, renamed } from "./configuration-text.ts";

const lookMs = 15_000;
const rounds = 10;

interface Reader {
  readonly bin: string;
  readonly data: string;
  readonly config: string;
  readonly account: string;
}

/** Asked until it has nothing more to say. Only files in its own two folders are changed. */
export async function putUnknownAside(
  { host }: { readonly host: Host },
  { bin, data, config, account }: Reader,
): Promise<readonly Complaint[]> {
  const found: Complaint[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const look = await host.look([`${bin}/postgres`, "-D", config, "-C", "data_directory"], {
      deadlineMs: lookMs,
      user: account,
      env: { LC_ALL: "C" },
      cwd: "/",
    });
    if (look.exitCode === 0) return found;
    const { unknown, other } = complaintsIn(look.stderr);
    const cause = other.join("; ") || look.spawnError || look.stderr.trim().slice(-500);
    if (unknown.length === 0) stop("postgresql.configuration-refused", { config, cause });
    for (const each of unknown) {
      const isOurs = [config, data].some((folder) => each.file.startsWith(`${folder}/`));
      if (!isOurs) stop("postgresql.configuration-shared", { ...each, line: String(each.line) });
    }
    for (const file of new Set(unknown.map((each) => each.file))) {
      const lines = unknown.filter((each) => each.file === file).map(({ line }) => line);
      const { uid, gid, mode } = await stat(host.path(file));
      const text = await readFile(host.path(file), "utf8");
      await writeFileDurably(host.path(file), putAside(text, lines), mode & 0o777, { uid, gid });
    }
    found.push(...unknown);
  }
  return stop("postgresql.configuration-refused", { config, cause: "it finds something new each time" });
}

/** As one line for a person, with the name that a setting has now. */
export function toldOf(found: readonly Complaint[]): string {
  const each = found.map(({ name, file, line }) => {
    const now = renamed[name];
    return `${name} (${file}:${line}${now === undefined ? "" : `; now ${now}`})`;
  });
  return each.join(", ") || "none";
}
