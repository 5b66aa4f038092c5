/** Scripts of newer tools, for servers that do not know all their words. */
import { describe, expect, it } from "vitest";
import { withoutProvider, withoutSettings } from "#agent/engines/postgresql/schema-script.ts";

describe("a script of newer tools", () => {
  it("makes a database on a server before 15 without a word for its provider", () => {
    const made = `CREATE DATABASE "Straße 2" WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE_PROVIDER = libc LOCALE = 'C';`;
    const comment = "COMMENT ON TABLE t IS 'x LOCALE_PROVIDER = libc';";
    expect(withoutProvider(`${made}\n${comment}`)).toBe(
      `CREATE DATABASE "Straße 2" WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE = 'C';\n${comment}`,
    );
  });

  it("sets nothing that the server does not know", () => {
    const script = "SET transaction_timeout = 0;\nSET row_security = off;\nSELECT 1;";
    expect(withoutSettings(script, ["transaction_timeout"])).toBe("SET row_security = off;\nSELECT 1;");
  });

  it("names no access method before the first table of a server that knows none", () => {
    const script = "CREATE SCHEMA a;\nSET default_table_access_method = heap;\nCREATE TABLE a.t ();";
    expect(withoutSettings(script, ["default_table_access_method"])).toBe(
      "CREATE SCHEMA a;\nCREATE TABLE a.t ();",
    );
  });

  it("leaves a function's body alone, and finds the head of the next database", () => {
    const line = "SET transaction_timeout = 0;";
    const body = `CREATE FUNCTION f() AS $$\n${line}\n$$;`;
    const script = `--\n\\restrict abc\n${line}\n${body}\n\\connect shop\n\n${line}\n${body}`;
    expect(withoutSettings(script, ["transaction_timeout"])).toBe(
      `--\n\\restrict abc\n${body}\n\\connect shop\n\n${body}`,
    );
  });
});
