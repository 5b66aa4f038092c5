/** What becomes of an old host's configuration on a new one, as text. */
import { describe, expect, it } from "vitest";
import { listenersIn } from "#agent/engines/postgresql/made/facts.ts";
import type { Parcel } from "#agent/engines/postgresql/made/parcel.ts";
import { placeOf } from "#agent/engines/postgresql/made/place.ts";
import {
  hasPassword,
  isElsewhere,
  takenInBy,
  withAgentLine,
  withAgentMap,
  without,
  withoutElsewhere,
  withoutSecrets,
} from "#agent/engines/postgresql/made/taken-text.ts";
import { filesFor } from "#agent/engines/postgresql/made/taking.ts";
import { postgresqlSettings } from "#agent/engines/postgresql/settings.ts";

const debian = {
  unit: "postgresql@18-main",
  bin: "/usr/lib/postgresql/18/bin",
  data: "/var/lib/postgresql/18/main",
  config: "/etc/postgresql/18/main",
};
const plain = { unit: "pg", bin: "/usr/pgsql-18/bin", data: "/srv/pg/data" };

const meansOf = (made: object, more: object = {}) => ({
  settings: postgresqlSettings.parse({ tools: "/t", made, ...more }),
});

describe("the agent's file", () => {
  it.each([
    ["a folder within another", { config: `${debian.data}/conf` }],
    ["one folder for two", { config: debian.data }],
    ["a tablespace within the data", { tablespaces: { fast: `${debian.data}/fast` } }],
    ["a path that a shell would part", { data: "/var/lib/my data" }],
    ["an option for systemctl", { unit: "--root=/tmp" }],
    ["an option for id", { account: "-u" }],
    ["an address that ends a setting", { listen: "1.2.3.4'" }],
  ])("does not take %s", (_, changed) => {
    expect(postgresqlSettings.safeParse({ tools: "/t", made: { ...debian, ...changed } }).success).toBe(
      false,
    );
  });
});

const main = [
  "data_directory = '/var/lib/postgresql/15/main'",
  "hba_file = '/etc/postgresql/15/main/pg_hba.conf'",
  "external_pid_file = '/var/run/postgresql/15-main.pid'",
  "port 5433",
  "listen_addresses = '10.0.0.1'",
  "synchronous_standby_names = 'other'",
  "archive_mode=on",
  "work_mem = 7MB",
  "max_wal_senders = 5",
  "include_dir 'conf.d'",
  "include = '/etc/shared/pg.conf'",
].join("\n");

function sent(changed: Partial<Parcel> = {}): Parcel {
  return {
    data: "/var/lib/postgresql/15/main",
    config: "/etc/postgresql/15/main",
    unit: "postgresql@15-main",
    isEnabled: true,
    files: [
      { name: "postgresql.conf", text: main },
      { name: "conf.d/own.conf", text: "max_wal_senders = 6\nstats = '/var/lib/postgresql/15/main/x'" },
      { name: "pg_hba.conf", text: "# first\nlocal all all scram-sha-256" },
      { name: "pg_ident.conf", text: "" },
      { name: "start.conf", text: "auto" },
    ],
    auto: "# auto\nport = '6000'\nmaintenance_work_mem = '70MB'",
    certificates: [],
    elsewhere: [],
    ...changed,
  };
}

describe("a configuration from another host", () => {
  const settings = { wal_level: "logical", max_wal_senders: "20" };
  const written = (made: object, more: object = {}) => {
    const means = meansOf(made, { port: 5444, host: "/run/pg", ...more });
    return filesFor(means, placeOf(means), { sent: sent(), settings });
  };
  const textOf = (found: ReturnType<typeof written>, path: string) =>
    found.files.find((file) => file.path === path)?.text ?? "not written";
  /** What the server makes of a file: the last word counts. */
  const inForce = (text: string) =>
    Object.fromEntries(
      [...text.matchAll(/^(\w+)\s*=\s*(.*)$/gm)].map(([, name, value]) => [name, value?.replaceAll("'", "")]),
    );

  it("has the new host's places, port, sockets and addresses, and what the move needs, by the last word", () => {
    const found = written({ ...debian, listen: "10.0.0.2" });
    expect(inForce(textOf(found, "/etc/postgresql/18/main/postgresql.conf"))).toEqual({
      data_directory: debian.data,
      hba_file: `${debian.config}/pg_hba.conf`,
      ident_file: `${debian.config}/pg_ident.conf`,
      external_pid_file: "/var/run/postgresql/18-main.pid",
      unix_socket_directories: "/run/pg",
      listen_addresses: "10.0.0.2",
      port: "5444",
      work_mem: "7MB",
      wal_level: "logical",
      max_wal_senders: "20",
    });
    // what is read later would have the last word
    expect(inForce(textOf(found, `${debian.data}/postgresql.auto.conf`))).toEqual({
      maintenance_work_mem: "70MB",
    });
    expect(inForce(textOf(found, "/etc/postgresql/18/main/conf.d/own.conf"))).toEqual({
      stats: "/var/lib/postgresql/18/main/x",
    });
    expect(found.aside).toEqual(["archive_mode", "synchronous_standby_names"]);
    expect(found.changed).toEqual(["external_pid_file", "stats"]);
  });

  it("takes in nothing from outside of its folder, and lets the old addresses stand where none is told", () => {
    const text = textOf(written(debian), "/etc/postgresql/18/main/postgresql.conf");
    expect(text).toContain("#lockkeeper: of the old host: include = '/etc/shared/pg.conf'");
    expect(text).toContain("\ninclude_dir 'conf.d'");
    expect(inForce(text)["listen_addresses"]).toBe("10.0.0.1");
  });

  it("may lie in the data folder on the new host: no place is named then, and no file of Debian's", () => {
    const found = written(plain);
    const text = textOf(found, "/srv/pg/data/postgresql.conf");
    expect(inForce(text)["data_directory"]).toBeUndefined();
    expect(inForce(text)["hba_file"]).toBeUndefined();
    expect(found.files.map(({ path }) => path)).not.toContain("/srv/pg/data/start.conf");
  });

  it("lets the agent in before any other line, once", () => {
    const found = written(debian, { user: "Admin" });
    const hba = textOf(found, `${debian.config}/pg_hba.conf`);
    expect(hba.split("\n")[0]).toBe('local all "Admin" peer map=lockkeeper');
    expect(withAgentLine(hba, "Admin")).toBe(hba);
    const map = withAgentMap("lockkeeper postgres postgres", "postgres");
    expect(map).toBe("lockkeeper root postgres\nlockkeeper postgres postgres");
    expect(withAgentMap(map, "postgres")).toBe(map);
    const late = "local all all reject\nlocal all postgres peer map=lockkeeper";
    expect(withAgentLine(late, "postgres")).toBe(`local all postgres peer map=lockkeeper\n${late}`);
  });
});

describe("lines", () => {
  it("with a password do not leave their host, not even as comments", () => {
    const text = withoutSecrets(
      "Primary_conninfo = 'host=a password=geheim'\nprimary_conninfo 'password=geheim'\nport = 1",
    );
    expect(text).not.toContain("geheim");
    expect(text).toContain("port = 1");
  });

  it("with the password of another service stay as well, and are known to be missing", () => {
    const hba = `local all all peer\nhost all all 0/0 ldap ldapserver=l ldapbindpasswd="geheim"\n# radiussecrets=geheim`;
    expect(withoutSecrets(hba)).not.toContain("geheim");
    expect(withoutSecrets("#primary_conninfo = 'password=geheim'")).not.toContain("geheim");
    expect(hasPassword(hba)).toBe(true);
    expect(hasPassword("local all all password\n#host all all ldap ldapbindpasswd=x")).toBe(false);
  });

  it("that set a name are found in any case, with or without a sign; comments are not", () => {
    expect(without("PORT 1\n  port=2\n# port = 3\nporter = 4", ["port"])).toEqual({
      text: "#lockkeeper: of the old host: PORT 1\n#lockkeeper: of the old host:   port=2\n# port = 3\nporter = 4",
      names: ["port", "port"],
    });
  });

  it("that take in files are known in each kind of file", () => {
    expect(
      takenInBy("include 'a.conf'\ninclude_dir = 'd'\n#include 'no'\nInclude_If_Exists 'b.conf'"),
    ).toEqual([
      { kind: "file", path: "a.conf" },
      { kind: "folder", path: "d" },
      { kind: "file", path: "b.conf" },
    ]);
    expect(takenInBy("host @dbs,other @users 10.0.0.0/8 md5\n# @no\ninclude more.conf")).toEqual([
      { kind: "file", path: "dbs" },
      { kind: "file", path: "users" },
      { kind: "file", path: "more.conf" },
    ]);
    expect([isElsewhere("../a"), isElsewhere("/a"), isElsewhere("a/b..c")]).toEqual([true, true, false]);
    expect(withoutElsewhere("include '../shared.conf'").names).toEqual(["../shared.conf"]);
  });

  it("of the kernel tell who listens", () => {
    const text = [
      "  sl  local_address rem_address   st tx_queue",
      "   0: 0100007F:1538 00000000:0000 0A 00000000:00000000",
      "   1: 0100007F:1539 0100007F:AAAA 01 00000000:00000000",
      "   2: 00000000000000000000000000000000:0016 00000000000000000000000000000000:0000 0A 0",
    ].join("\n");
    expect(listenersIn(text)).toEqual([5432, 22]);
  });
});
