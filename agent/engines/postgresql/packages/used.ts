/** Which packages a server uses by now: an extension of theirs in a database, or a library that it loads at its start. */
import { readFile } from "node:fs/promises";
import type { Host, StepContext } from "../../../verb.ts";
import { ask, inEach } from "../desk.ts";
import type { Means } from "../settings.ts";
import { type Addition, bare } from "./note.ts";

/** By name: what uses it. Throws FailureError where the server cannot be asked. */
export async function usedBy(
  context: StepContext,
  means: Means,
  packages: readonly Addition[],
): Promise<ReadonlyMap<string, string>> {
  const brought = await Promise.all(
    packages.map(async (each) => ({ name: each.name, ...broughtIn(await filesOf(context.host, each)) })),
  );
  const some = brought.filter(({ extensions, libraries }) => extensions.length + libraries.length > 0);
  if (some.length === 0) return new Map();
  const { databases, loaded } = await ask(context, means, async (sql) => ({
    databases: (
      await sql.rows("SELECT datname FROM pg_database WHERE datallowconn AND datconnlimit >= -1 ORDER BY 1")
    ).map((row) => row["datname"] ?? ""),
    // what only the next start takes, too
    loaded: (
      await sql.rows(`
        SELECT setting FROM pg_settings WHERE name ~ '_preload_libraries$'
        UNION SELECT setting FROM pg_file_settings WHERE name ~ '_preload_libraries$'`)
    ).flatMap((row) => (row["setting"] ?? "").split(",").map(plain)),
  }));
  const made = await inEach(context, means, databases, async (sql) =>
    (await sql.rows("SELECT extname, current_database() AS name FROM pg_extension")).map((row) => ({
      extension: row["extname"] ?? "",
      database: row["name"] ?? "",
    })),
  );
  return new Map(
    some.flatMap(({ name, extensions, libraries }) => {
      const uses = [
        ...made
          .flat()
          .flatMap(({ extension, database }) =>
            extensions.includes(extension) ? [`the extension ${extension} is in ${database}`] : [],
          ),
        ...libraries.flatMap((library) =>
          loaded.includes(library) ? [`the server loads ${library} at its start`] : [],
        ),
      ];
      return uses.length === 0 ? [] : [[name, uses.join(", ")] as const];
    }),
  );
}

/** As its own list has them, which bears its architecture where several of them may be installed at once. */
async function filesOf(host: Host, { name, architecture }: Addition): Promise<readonly string[]> {
  for (const file of [`${bare(name)}:${architecture}.list`, `${bare(name)}.list`]) {
    const text = await readFile(host.path(`/var/lib/dpkg/info/${file}`), "utf8").catch(() => undefined);
    if (text !== undefined) return text.split("\n");
  }
  return [];
}

function broughtIn(files: readonly string[]) {
  const named = (pattern: RegExp) => files.flatMap((file) => pattern.exec(file)?.[1] ?? []);
  return {
    extensions: named(/\/extension\/([^/]+)\.control$/),
    libraries: named(/\/postgresql\/\d+\/lib\/([^/]+)\.so$/),
  };
}

function plain(text: string): string {
  return text
    .trim()
    .replace(/^"(.*)"$/, "$1")
    .replace(/^\$libdir\//, "")
    .replace(/\.so$/, "");
}
