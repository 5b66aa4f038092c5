/** The roles of another server, as `pg_dumpall --roles-only` writes them: what of it is taken over. Pure. */
import { isOwnName } from "#proto/engines/postgresql-names.ts";
import { statementsOf } from "./statements.ts";

export interface RolesScript {
  /** To be run one by one: how a literal is read, the first of them set. */
  readonly statements: readonly string[];
  /** Roles that it makes. */
  readonly made: readonly string[];
  /** Roles that are there already: they stay as they are. */
  readonly kept: readonly string[];
}

const name = String.raw`("(?:[^"]|"")+"|[^\s;]+)`;
const statement = new RegExp(
  `^(?:(?:CREATE|ALTER|COMMENT ON) ROLE|SECURITY LABEL FOR ${name} ON ROLE) ${name}`,
);
/** A role's settings come in a statement of their own, a membership in another. */
const grant = new RegExp(`^GRANT ${name} TO ${name}`);

/**
 * Whoever was there before is not altered, its password least of all. Ours are left out. Words of psql's own go: they are no
 * part of what is taken over.
 */
export function takenOver(dump: string, existing: readonly string[]): RolesScript {
  const made = new Set<string>();
  const kept = new Set<string>();
  const isThere = (role: string) => existing.includes(role);
  const statements = statementsOf(dump).filter((each) => {
    const [, , quoted] = statement.exec(each) ?? [];
    if (quoted === undefined) {
      const [, group, member] = grant.exec(each) ?? [];
      return group === undefined || ![group, member ?? ""].map(plain).some(isOwnName);
    }
    const role = plain(quoted);
    if (isOwnName(role)) return false;
    if (isThere(role)) kept.add(role);
    else made.add(role);
    return !isThere(role);
  });
  return { statements, made: [...made], kept: [...kept] };
}

function plain(quoted: string): string {
  return quoted.startsWith('"') ? quoted.slice(1, -1).replaceAll('""', '"') : quoted;
}
