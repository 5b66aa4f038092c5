import { describe, expect, it } from "vitest";
import { parsePgrepup } from "#coordinator/cli/init/pgrepup-file.ts";

const whole = `[Security]
encrypted_credentials = n
tmp_folder = /tmp
app_owner = app

[Source]
host = 10.0.0.11
port = 5495
connect_database = template1
user = wd
password = a=b: c%%d#e

[Destination]
host = db2.example
port = 5496
user = postgres
password =
`;

/** What is said of the file with that change: line and words. */
function said(change: (text: string) => string): readonly string[] {
  const read = parsePgrepup(change(whole), "f");
  return read.ok ? [] : read.complaints.map(({ line, text }) => `${line}: ${text}`);
}

describe("pgrepup's file", () => {
  it("is read as Python reads it", () => {
    expect(parsePgrepup(whole, "f")).toEqual({
      ok: true,
      value: {
        source: {
          host: "10.0.0.11",
          port: 5495,
          connectDatabase: "template1",
          user: "wd",
          password: "a=b: c%d#e",
        },
        destination: {
          host: "db2.example",
          port: 5496,
          connectDatabase: "template1",
          user: "postgres",
          password: "",
        },
        appOwner: "app",
        tmpFolder: "/tmp",
      },
    });
  });

  it("may have been edited on Windows, with colons, comments and capitals", () => {
    const edited = whole
      .replace("host = 10.0.0.11", "# the old one\n; of ours\nHost: 10.0.0.11")
      .replaceAll("\n", "\r\n");
    expect(parsePgrepup(edited, "f")).toMatchObject({ ok: true, value: { source: { host: "10.0.0.11" } } });
  });

  it("with encrypted passwords is refused, with the reason and what to do", () => {
    const [first = ""] = said((text) =>
      text.replace("encrypted_credentials = n", "encrypted_credentials = y"),
    );
    expect(first).toMatch(/^2: .*encrypted.*pgrepup config once more and answer n/);
  });

  it.each<readonly [string, (text: string) => string, string]>([
    ["a port that is none", (text) => text.replace("5495", "x"), "8: a port is a number from 1 to 65535"],
    ["a port too high", (text) => text.replace("5495", "65536"), "8: a port is a number from 1 to 65535"],
    ["a missing host", (text) => text.replace("host = db2.example\n", ""), "13: [Destination] has no host"],
    ["an empty user", (text) => text.replace("user = wd", "user ="), "10: a user is missing"],
    ["a key of nobody", (text) => text.replace("tmp_folder", "tmp"), "3: pgrepup has no tmp in [Security]"],
    ["a section of nobody", (text) => `${text}[Target]\n`, "18: pgrepup has no section [Target]"],
    ["a section twice", (text) => `${text}[Source]\n`, "18: the section [Source] stands here twice"],
    ["a key twice", (text) => text.replace("user = wd", "port = 1"), "10: port stands here twice"],
    ["words", (text) => text.replace("user = wd", "wd"), "10: neither a section nor key = value"],
    [
      "a value over lines",
      (text) => text.replace("user = wd", " more"),
      "10: a value over several lines is not read",
    ],
    ["a key before all", (text) => `x = 1\n${text}`, "1: x stands before any section"],
    [
      "one server",
      (text) => text.replace("db2.example", "10.0.0.11").replace("5496", "5495"),
      "15: source and destination are one server: the same host and port",
    ],
  ])("with %s is refused by its line", (_, change, wanted) => {
    expect(said(change)).toContain(wanted);
  });

  it.each(["s3cret ;note", "s3cret%x", "s3cret%(port)s"])(
    "tells no word of the password %s that it refuses",
    (bad) => {
      const refusals = said((text) => text.replace("a=b: c%%d#e", bad));
      expect(refusals).toHaveLength(1);
      expect(refusals[0]).toMatch(/^11: password: /);
      expect(refusals[0]).not.toContain("s3cret");
    },
  );

  it("that is something else is refused as a whole", () => {
    expect(said(() => "{}")).toContain("1: the section [Source] is missing");
    expect(said(() => "")).toHaveLength(3);
  });
});
