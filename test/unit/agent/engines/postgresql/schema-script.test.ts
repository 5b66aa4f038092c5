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
});
