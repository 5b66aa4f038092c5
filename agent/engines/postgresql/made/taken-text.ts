/** The old host's configuration for a server on another host, as text: what belongs to the old host alone is put aside. */

const mark = "#lockkeeper: of the old host: ";

/** Of a standby, of an archive, of places: on a new server each of them would hurt, or mean nothing. */
export const ofOldHost: readonly string[] = [
  "archive_cleanup_command",
  "archive_mode",
  "config_file",
  "data_directory",
  "default_transaction_read_only",
  "hba_file",
  "ident_file",
  "port",
  "primary_conninfo",
  "primary_slot_name",
  "promote_trigger_file",
  "recovery_end_command",
  "recovery_target",
  "recovery_target_action",
  "recovery_target_inclusive",
  "recovery_target_lsn",
  "recovery_target_name",
  "recovery_target_time",
  "recovery_target_timeline",
  "recovery_target_xid",
  "restore_command",
  "synchronized_standby_slots",
  "synchronous_standby_names",
  "trigger_file",
  "unix_socket_directories",
];

/** A password may stand in these: they do not leave their host. */
export const secret: readonly string[] = ["primary_conninfo"];

/** Also in comments, where people leave them: of connections, LDAP, RADIUS. */
const passwords = /\b(?:password|passwd|ldapbindpasswd|radiussecrets?)\s*=\s*\S/i;

export function nameSetIn(line: string): string | undefined {
  return /^\s*([A-Za-z_][\w.]*)\s*(?:=|\s)\s*\S/.exec(line)?.[1]?.toLowerCase();
}

export interface PutAside {
  readonly text: string;
  /** Names of the settings; of an include what it names. */
  readonly names: readonly string[];
}

/** Lines that set one of these, as comments. */
export function without(text: string, names: readonly string[]): PutAside {
  return aside(text, (line) => {
    const name = nameSetIn(line);
    return name !== undefined && names.includes(name) ? name : undefined;
  });
}

/** The same without a word of what was there. */
export function withoutSecrets(text: string): string {
  return text.split("\n").map(withoutSecret).join("\n");
}

/** Whether a line that is in force is among those, other than a standby's. */
export function hasPassword(text: string): boolean {
  return text
    .split("\n")
    .some((line) => !/^\s*#/.test(line) && passwords.test(line) && !secret.includes(nameSetIn(line) ?? ""));
}

function withoutSecret(line: string): string {
  const name = nameSetIn(line.replace(/^[\s#]+/, ""));
  if (name !== undefined && secret.includes(name)) return `#lockkeeper: ${name} is not carried`;
  return passwords.test(line) ? "#lockkeeper: a line with a password is not carried" : line;
}

/** Files that a configuration takes in, as it names them; `@` lists of pg_hba.conf too. */
export function takenInBy(
  text: string,
): readonly { readonly kind: "file" | "folder"; readonly path: string }[] {
  return text.split("\n").flatMap((line) => {
    const found = includeIn(line);
    if (found !== undefined) return [found];
    if (/^\s*(?:#|$)/.test(line) || nameSetIn(line)?.startsWith("include") === true) return [];
    return /^\s*(?:local|host)/.test(line)
      ? [...line.matchAll(/(?:^|[\s,])@"?([^\s",]+)/g)].map((list) => ({
          kind: "file" as const,
          path: list[1] ?? "",
        }))
      : [];
  });
}

function includeIn(line: string) {
  const found =
    /^\s*(include|include_if_exists|include_dir)(?:\s*=\s*|\s+)(?:'([^']+)'|"([^"]+)"|(\S+))/i.exec(line);
  if (found === null) return undefined;
  const path = found[2] ?? found[3] ?? found[4] ?? "";
  return { kind: found[1]?.toLowerCase() === "include_dir" ? ("folder" as const) : ("file" as const), path };
}

/** Outside of the configuration's own folder, it was not carried. */
export function isElsewhere(path: string): boolean {
  return path.startsWith("/") || path.split("/").includes("..");
}

export function withoutElsewhere(text: string): PutAside {
  return aside(text, (line) => {
    const found = includeIn(line);
    return found !== undefined && isElsewhere(found.path) ? found.path : undefined;
  });
}

/** At the end, where the last word counts. */
export function withSettings(text: string, values: Readonly<Record<string, string>>): string {
  const lines = Object.entries(values).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'`);
  return `${text.replace(/\n*$/, "\n")}\n# made by lockkeeper for this host\n${lines.join("\n")}\n`;
}

/** The agent gets in over the socket, before any other line is asked. */
export function withAgentLine(hba: string, user: string): string {
  const line = `local all ${nameOf(user)} peer map=lockkeeper`;
  const first = hba.split("\n").find((each) => !/^\s*(#|$)/.test(each));
  return first === line ? hba : `${line}\n${hba}`;
}

export function withAgentMap(ident: string, user: string): string {
  const line = `lockkeeper root ${nameOf(user)}`;
  return ident.split("\n").includes(line) ? ident : `${line}\n${ident}`;
}

function nameOf(user: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(user) ? user : `"${user}"`;
}

function aside(text: string, why: (line: string) => string | undefined): PutAside {
  const names: string[] = [];
  const lines = text.split("\n").map((line) => {
    const found = why(line);
    if (found === undefined) return line;
    names.push(found);
    return `${mark}${line}`;
  });
  return { text: lines.join("\n"), names };
}
