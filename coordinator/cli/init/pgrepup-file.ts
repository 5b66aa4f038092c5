/** The file that `pgrepup config` writes: an INI file as Python's SafeConfigParser takes it. Nothing of a bad one is used. */
import type { Complaint, SettingsRead } from "#proto/common/settings-file.ts";

export interface PgrepupServer {
  readonly host: string;
  readonly port: number;
  readonly connectDatabase: string;
  readonly user: string;
  /** Empty: none. */
  readonly password: string;
}

export interface PgrepupFile {
  readonly source: PgrepupServer;
  readonly destination: PgrepupServer;
  /** Where it has one: nothing here needs it. */
  readonly appOwner?: string;
  readonly tmpFolder?: string;
}

interface Place {
  readonly line: number;
  readonly column: number;
}

interface Entry extends Place {
  readonly value: string;
}

const known: Readonly<Record<string, readonly string[]>> = {
  Security: ["encrypted_credentials", "tmp_folder", "app_owner", "salt", "pg_repup_user_password"],
  Source: ["host", "port", "connect_database", "user", "password"],
  Destination: ["host", "port", "connect_database", "user", "password"],
};

const encrypted =
  "the passwords in here are encrypted, and only pgrepup has the way to read them: run pgrepup config once more and answer n to encryption, import that file and delete it; or lockkeeper init postgresql without --from-pgrepup";

export function parsePgrepup(text: string, file: string): SettingsRead<PgrepupFile> {
  const found = new Reading(file);
  found.read(text);
  const at = found.entry("Security", "encrypted_credentials");
  if (at !== undefined && !/^(n|no|false|0)$/i.test(at.value)) found.complain(at, encrypted);
  const [source, destination] = [found.server("Source"), found.server("Destination")];
  if (source.host !== "" && source.host === destination.host && source.port === destination.port)
    found.complain(
      found.entry("Destination", "port"),
      "source and destination are one server: the same host and port",
    );
  if (found.complaints.length > 0) return { ok: false, complaints: found.complaints };
  const appOwner = found.entry("Security", "app_owner")?.value ?? "";
  const tmpFolder = found.entry("Security", "tmp_folder")?.value ?? "";
  return {
    ok: true,
    value: {
      source,
      destination,
      ...(appOwner === "" ? {} : { appOwner }),
      ...(tmpFolder === "" ? {} : { tmpFolder }),
    },
  };
}

/** One reading of one file, with what is wrong about it. */
class Reading {
  readonly complaints: Complaint[] = [];
  readonly #file: string;
  readonly #entries = new Map<string, Entry>();
  readonly #sections = new Map<string, number>();
  #section = "";

  constructor(file: string) {
    this.#file = file;
  }

  complain(at: Place | undefined, text: string): void {
    this.complaints.push({ file: this.#file, line: at?.line ?? 1, column: at?.column ?? 1, text });
  }

  read(text: string): void {
    for (const [index, line] of text
      .replace(/^\uFEFF/, "")
      .split(/\r?\n/)
      .entries())
      if (line.trim() !== "" && !/^[#;]/.test(line)) this.#line(line, { line: index + 1, column: 1 });
    for (const section of Object.keys(known))
      if (!this.#sections.has(section)) this.complain(undefined, `the section [${section}] is missing`);
  }

  entry(section: string, key: string): Entry | undefined {
    return this.#entries.get(`${section}.${key}`);
  }

  server(section: "Source" | "Destination"): PgrepupServer {
    const port = this.#needed(section, "port", /^([1-9]\d{0,4})$/, "a port is a number from 1 to 65535");
    if (Number(port) > 65_535)
      this.complain(this.entry(section, "port"), "a port is a number from 1 to 65535");
    return {
      host: this.#needed(section, "host", /^[A-Za-z0-9._:-]+$/, "a host is a name or an IP address"),
      port: Number(port),
      connectDatabase: this.entry(section, "connect_database")?.value || "template1",
      user: this.#needed(section, "user", /\S/, "a user is missing"),
      password: this.entry(section, "password")?.value ?? "",
    };
  }

  #needed(section: string, key: string, pattern: RegExp, words: string): string {
    const entry = this.entry(section, key);
    if (entry !== undefined && pattern.test(entry.value)) return entry.value;
    const line = this.#sections.get(section);
    if (entry !== undefined) this.complain(entry, words);
    else if (line !== undefined) this.complain({ line, column: 1 }, `[${section}] has no ${key}`);
    return "";
  }

  #line(line: string, at: Place): void {
    const section = /^\[([^\]]*)\]\s*$/.exec(line)?.[1];
    if (section !== undefined) this.#begin(section, at);
    else if (/^\s/.test(line)) this.complain(at, "a value over several lines is not read");
    else {
      const [, key = "", gap = "", value = ""] = /^([^:=\s][^:=]*?)(\s*[:=]\s*)(.*?)\s*$/.exec(line) ?? [];
      const name = key.toLowerCase();
      const why = this.#whyNotKey(key, name);
      if (why !== undefined) this.complain(at, why);
      else this.#take(name, value, { line: at.line, column: 1 + key.length + gap.length });
    }
  }

  #whyNotKey(key: string, name: string): string | undefined {
    if (key === "") return "neither a section nor key = value";
    if (this.#section === "") return `${key} stands before any section`;
    if (known[this.#section]?.includes(name) === false) return `pgrepup has no ${key} in [${this.#section}]`;
    return this.entry(this.#section, name) === undefined ? undefined : `${key} stands here twice`;
  }

  #begin(section: string, at: Place): void {
    this.#section = section;
    if (known[section] === undefined) this.complain(at, `pgrepup has no section [${section}]`);
    else if (this.#sections.has(section)) this.complain(at, `the section [${section}] stands here twice`);
    this.#sections.set(section, at.line);
  }

  /** What Python would make something else of is refused: no word of the value is told, it may be a password. */
  #take(name: string, value: string, place: Place): void {
    if (/\s;/.test(value))
      this.complain(place, `${name}: what follows " ;" is a comment to pgrepup; write the value without it`);
    else if (value.replaceAll("%%", "").includes("%"))
      this.complain(place, `${name}: pgrepup reads % as the begin of another value; write %%`);
    const meant = value === '""' ? "" : value.replaceAll("%%", "%");
    this.#entries.set(`${this.#section}.${name}`, { ...place, value: meant });
  }
}
