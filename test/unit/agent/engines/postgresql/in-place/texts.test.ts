/** What the tools of an upgrade in place say, and what is said to them. */
import { describe, expect, it } from "vitest";
import { type Place, placeIn } from "#agent/engines/postgresql/in-place/place.ts";
import { refusalIn, upgradeArgv } from "#agent/engines/postgresql/in-place/upgrade-words.ts";
import { initdbArgv } from "#agent/engines/postgresql/on-host/birth.ts";
import {
  complaintsIn,
  includesIn,
  placesOf,
  putAside,
  settingsChanged,
  withPlaces,
} from "#agent/engines/postgresql/on-host/configuration-text.ts";
import { controlIn } from "#agent/engines/postgresql/on-host/control.ts";
import { versionIn } from "#agent/engines/postgresql/on-host/programs.ts";
import { isDown, readUnit } from "#agent/engines/postgresql/on-host/unit.ts";
import { postgresqlSettings } from "#agent/engines/postgresql/settings.ts";
import type { PgBirth } from "#proto/engines/postgresql-made.ts";
import { fakeHost, lookOf } from "#test/unit/agent/engines/kwdb/fake-host.ts";
import { debian, placeSettings, plain } from "./place.ts";

const place = (inPlace: unknown): Place => {
  const found = placeIn({ settings: postgresqlSettings.parse({ tools: "/t", inPlace }) });
  if (found === undefined) throw new Error("no place");
  return found;
};

describe("the agent's file", () => {
  it.each([
    ["one unit for both", { newUnit: debian.unit }],
    ["one folder of programs", { newBin: debian.bin }],
    ["new data within the old", { newData: `${debian.data}/new` }],
    ["old data within the new", { newData: "/var/lib/postgresql/17" }],
    ["one data folder", { newData: debian.data }],
    ["configuration named once", { newConfig: undefined }],
    ["a path that a shell would part", { newData: "/var/lib/my data" }],
    ["an option for systemctl", { unit: "--root=/tmp" }],
  ])("does not take %s", (_, changed) => {
    const given = { tools: "/t", inPlace: { ...debian, ...changed } };
    expect(postgresqlSettings.safeParse(given).success).toBe(false);
  });

  it("allows nothing where it says nothing", () => {
    expect(placeIn({ settings: postgresqlSettings.parse({ tools: "/t" }) })).toBeUndefined();
  });
});

describe("configuration", () => {
  const { old, new: young } = place(debian);
  const places = placesOf(old, young);

  it("names the successor's places and no neighbour's", () => {
    const before = [
      "data_directory = '/var/lib/postgresql/17/main'",
      "hba_file = '/etc/postgresql/17/main/pg_hba.conf'",
      "external_pid_file = '/var/run/postgresql/17-main.pid'",
      "cluster_name = '17/main'",
      "log_filename = 'of-17-mainframe.log'",
      "stats = '/var/lib/postgresql/17/main-archive'",
      "port = 5432",
    ].join("\n");
    const after = withPlaces(before, places);
    expect(after.split("\n")).toEqual([
      "data_directory = '/var/lib/postgresql/18/main'",
      "hba_file = '/etc/postgresql/18/main/pg_hba.conf'",
      "external_pid_file = '/var/run/postgresql/18-main.pid'",
      "cluster_name = '18/main'",
      "log_filename = 'of-17-mainframe.log'",
      "stats = '/var/lib/postgresql/17/main-archive'",
      "port = 5432",
    ]);
    expect(settingsChanged(before, after)).toEqual([
      "data_directory",
      "hba_file",
      "external_pid_file",
      "cluster_name",
    ]);
  });

  it("has no instance to rename where the units have none", () => {
    const { old: first, new: second } = place(plain);
    expect(placesOf(first, second)).toEqual([{ from: plain.data, to: plain.newData }]);
  });

  // as PostgreSQL 18 said it
  const said = [
    '2026-11-22 02:55:31.463 GMT [9] LOG:  skipping missing configuration file "/d/postgresql.auto.conf"',
    '2026-11-22 02:55:31.463 GMT [9] LOG:  unrecognized configuration parameter "foo_bar" in file "/c/postgresql.conf" line 1',
    '2026-11-22 02:55:31.463 GMT [9] LOG:  unrecognized configuration parameter "wal_keep_segments" in file "/c/x.conf" line 20',
    '2026-11-22 02:55:31.463 GMT [9] FATAL:  configuration file "/c/postgresql.conf" contains errors',
  ].join("\n");

  it("that is not known is found by the new version's own word", () => {
    expect(complaintsIn(said)).toEqual({
      unknown: [
        { name: "foo_bar", file: "/c/postgresql.conf", line: 1 },
        { name: "wal_keep_segments", file: "/c/x.conf", line: 20 },
      ],
      other: [],
    });
  });

  it("that is wrong otherwise is no setting to put aside", () => {
    const wrong = '2026-11-22 02:55:31.524 GMT [9] LOG:  invalid value for parameter "work_mem": "banana"';
    expect(complaintsIn(wrong)).toEqual({ unknown: [], other: [wrong] });
  });

  it("is put aside line by line, and once", () => {
    const once = putAside("a = 1\nb = 2\nc = 3", [2]);
    expect(once).toBe("a = 1\n#lockkeeper: not known to the new version: b = 2\nc = 3");
    expect(putAside(once, [2])).toBe(once);
  });

  it("is followed into what it includes", () => {
    const text =
      "include_dir = 'conf.d'\n#include 'no.conf'\ninclude_if_exists 'a.conf'\n include = '/b.conf'";
    expect(includesIn(text)).toEqual([
      { kind: "folder", path: "conf.d" },
      { kind: "file", path: "a.conf" },
      { kind: "file", path: "/b.conf" },
    ]);
  });
});

const birth: PgBirth = {
  owner: "postgres",
  encoding: "UTF8",
  collate: "de_DE.UTF-8",
  ctype: "de_DE.UTF-8",
  provider: "libc",
  locale: null,
  icuRules: null,
  hasChecksums: false,
  walSegmentBytes: 64 * 1024 ** 2,
  isGroupReadable: true,
};

describe("initdb", () => {
  it("is told what the old folder was made with, and the checksums either way", () => {
    const words = initdbArgv(place(debian).new, birth, 18);
    expect(words.slice(0, 3)).toEqual([
      "/usr/lib/postgresql/18/bin/initdb",
      "--pgdata=/var/lib/postgresql/18/main",
      "--username=postgres",
    ]);
    for (const word of [
      "--encoding=UTF8",
      "--lc-collate=de_DE.UTF-8",
      "--locale-provider=libc",
      "--no-data-checksums",
      "--wal-segsize=64",
      "--allow-group-access",
    ])
      expect(words).toContain(word);
    expect(initdbArgv(place(debian).new, { ...birth, hasChecksums: true }, 18)).toContain("--data-checksums");
    expect(initdbArgv(place(debian).new, birth, 17).join(" ")).not.toContain("checksums");
  });

  it("is told the locale of the provider that has one", () => {
    const icu = initdbArgv(
      place(debian).new,
      { ...birth, provider: "icu", locale: "de", icuRules: "&a<b" },
      18,
    );
    expect(icu).toEqual(
      expect.arrayContaining(["--locale-provider=icu", "--icu-locale=de", "--icu-rules=&a<b"]),
    );
    const builtin = initdbArgv(place(debian).new, { ...birth, provider: "builtin", locale: "C.UTF-8" }, 18);
    expect(builtin).toContain("--builtin-locale=C.UTF-8");
    expect(initdbArgv(place(debian).new, birth, 14).join(" ")).not.toContain("provider");
  });
});

describe("pg_upgrade", () => {
  const words = { mode: "link", jobs: 3, owner: "postgres", newMajor: 18 } as const;

  it("is given both folders, and a socket of its own where nobody is served", () => {
    expect(upgradeArgv(place(debian), words)).toEqual([
      "/usr/lib/postgresql/18/bin/pg_upgrade",
      "--old-bindir=/usr/lib/postgresql/17/bin",
      "--new-bindir=/usr/lib/postgresql/18/bin",
      "--old-datadir=/var/lib/postgresql/17/main",
      "--new-datadir=/var/lib/postgresql/18/main",
      "--username=postgres",
      "--jobs=3",
      "--link",
      "--old-options=-c config_file=/etc/postgresql/17/main/postgresql.conf",
      "--new-options=-c config_file=/etc/postgresql/18/main/postgresql.conf -c archive_mode=off",
      "--socketdir=/var/lib/postgresql/18/main.lockkeeper",
    ]);
  });

  it("looks at a server that serves by its port, and at the new one by another", () => {
    const checking = upgradeArgv(place(plain), { ...words, mode: "copy", check: { livePort: 50_432 } });
    expect(checking).toEqual(
      expect.arrayContaining(["--copy", "--check", "--old-port=50432", "--new-port=50433"]),
    );
    expect(checking.join(" ")).not.toMatch(/socketdir|config_file/);
    expect(upgradeArgv(place(plain), { ...words, mode: "copy", newMajor: 15 })).not.toContain("--copy");
  });

  it("is quoted where it refuses, with the file that it names", () => {
    const said = [
      "Performing Consistency Checks on Old Live Server",
      "------------------------------------------------",
      "Checking cluster versions                                     ok",
      "Checking for presence of required libraries                   fatal",
      "",
      "Your installation references loadable libraries that are missing from the",
      "new installation.  A list of problem libraries is in the file:",
      "    /v/main/pg_upgrade_output.d/2026/loadable_libraries.txt",
      "Failure, exiting",
    ].join("\n");
    expect(refusalIn(said)).toEqual({
      words:
        "Checking for presence of required libraries fatal Your installation references loadable libraries that are missing from the new installation. A list of problem libraries is in the file: /v/main/pg_upgrade_output.d/2026/loadable_libraries.txt",
      files: ["/v/main/pg_upgrade_output.d/2026/loadable_libraries.txt"],
    });
  });

  it("is quoted by its last lines where it only ends", () => {
    expect(refusalIn("one\n\nThe source cluster was not shut down cleanly\nFailure, exiting\n").words).toBe(
      "one The source cluster was not shut down cleanly",
    );
  });
});

describe("what is read of a server that stands still", () => {
  const control = [
    "pg_control version number:            1700",
    "Database system identifier:           7710824804050674232",
    "Database cluster state:               shut down",
    "Bytes per WAL segment:                16777216",
    "Data page checksum version:           0",
  ];

  it("is its control file, whole or not at all", () => {
    expect(controlIn(control.join("\n"))).toEqual({
      systemId: "7710824804050674232",
      state: "shut down",
      walSegmentBytes: 16_777_216,
      checksumVersion: 0,
    });
    for (const line of control.slice(1))
      expect(controlIn(control.filter((each) => each !== line).join("\n"))).toBeUndefined();
  });

  it("is its unit, which is down by its process and not by a word missing", async () => {
    const told = async (pid: string, active = "inactive") => {
      const text = `LoadState=loaded\nActiveState=${active}\nMainPID=${pid}\nUnitFileState=enabled\n`;
      const found = await readUnit(
        fakeHost(() => lookOf(text)),
        "postgresql",
      );
      return found.ok ? isDown(found.value) : found.failure.code;
    };
    expect([await told(""), await told("0"), await told("0", "deactivating"), await told("7")]).toEqual([
      "postgresql.unit-unknown",
      true,
      false,
      false,
    ]);
  });

  it("is the version of its programs", () => {
    expect(versionIn("postgres (PostgreSQL) 18.1 (Debian 18.1-1)\n")).toEqual({ version: "18.1", major: 18 });
    expect(versionIn("postgres (PostgreSQL) 19beta1\n")).toEqual({ version: "19beta1", major: 19 });
    expect(versionIn("postgres: not found")).toBeUndefined();
  });
});

it("the settings of these tests are ones that an agent takes", () => {
  for (const each of [debian, plain])
    expect(postgresqlSettings.parse({ tools: "/t", inPlace: each }).inPlace).toMatchObject(
      placeSettings(each),
    );
});
