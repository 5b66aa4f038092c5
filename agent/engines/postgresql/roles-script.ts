/** The roles of another server, as `pg_dumpall --roles-only` writes them: what of it is taken over. Pure. */

export interface RolesScript {
  readonly sql: string;
  /** Roles that it makes. */
  readonly made: readonly string[];
  /** Roles that are there already: they stay as they are. */
  readonly kept: readonly string[];
}

const statement = /^(CREATE|ALTER|COMMENT ON) ROLE ("(?:[^"]|"")+"|[^\s;]+)/;
/** A role's settings come in a statement of one line, a membership in another. */
const grant = /^GRANT ("(?:[^"]|"")+"|\S+) TO ("(?:[^"]|"")+"|[^\s;]+)/;

/**
 * Whoever was there before is not altered, its password least of all. Ours are left out. Words of psql's own go: they are no
 * part of what is taken over.
 */
export function takenOver(dump: string, existing: readonly string[]): RolesScript {
  const lines = dump
    .split("\n")
    .filter((line) => !line.startsWith("\\") && !line.startsWith("--") && line !== "");
  const made = new Set<string>();
  const kept = new Set<string>();
  const isThere = (name: string) => existing.includes(name);
  const isOurs = (name: string) => name.startsWith("lockkeeper_");
  const taken = lines.filter((line) => {
    const [, verb, quoted = ""] = statement.exec(line) ?? [];
    if (verb === undefined) {
      const [, group, member] = grant.exec(line) ?? [];
      return group === undefined || ![group, member ?? ""].map(plain).some(isOurs);
    }
    const name = plain(quoted);
    if (isOurs(name)) return false;
    if (isThere(name)) kept.add(name);
    else made.add(name);
    return !isThere(name);
  });
  return { sql: `${taken.join("\n")}\n`, made: [...made], kept: [...kept] };
}

function plain(quoted: string): string {
  return quoted.startsWith('"') ? quoted.slice(1, -1).replaceAll('""', '"') : quoted;
}
