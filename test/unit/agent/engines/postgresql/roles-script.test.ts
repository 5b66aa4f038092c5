/** What of another server's roles is taken over: whole statements, and never a text that only looks like one. */
import { describe, expect, it } from "vitest";
import { takenOver } from "#agent/engines/postgresql/roles-script.ts";
import { statementsOf } from "#agent/engines/postgresql/statements.ts";

const dump = String.raw`--
-- PostgreSQL database cluster dump
--

\restrict xyz
SET default_transaction_read_only = off;
SET standard_conforming_strings = on;

--
-- Roles
--

CREATE ROLE app;
ALTER ROLE app WITH NOSUPERUSER LOGIN PASSWORD 'SCRAM-SHA-256$4096:a';
COMMENT ON ROLE app IS 'first
-- second; it''s "quoted
\third';
CREATE ROLE kept;
ALTER ROLE kept WITH SUPERUSER;
COMMENT ON ROLE kept IS 'a
; ALTER ROLE mallory SUPERUSER; --';
SECURITY LABEL FOR "who ever" ON ROLE kept IS 'open';
CREATE ROLE "two;
lines""";
ALTER ROLE "two;
lines""" SET search_path TO '$user', 'a;b';
CREATE ROLE lockkeeper_r1;
ALTER ROLE lockkeeper_r1 WITH LOGIN;

--
-- Role memberships
--

GRANT app TO kept WITH ADMIN OPTION GRANTED BY postgres;
GRANT app TO lockkeeper_r1;
GRANT SET ON PARAMETER work_mem TO app;

\unrestrict xyz
`;

describe("roles of another server", () => {
  const script = takenOver(dump, ["kept", "mallory"]);

  it("are made with all that is said of them, however it is written", () => {
    expect(script.made).toEqual(["app", 'two;\nlines"']);
    expect(script.statements).toEqual([
      "SET default_transaction_read_only = off",
      "SET standard_conforming_strings = on",
      "CREATE ROLE app",
      "ALTER ROLE app WITH NOSUPERUSER LOGIN PASSWORD 'SCRAM-SHA-256$4096:a'",
      `COMMENT ON ROLE app IS 'first\n-- second; it''s "quoted\n\\third'`,
      'CREATE ROLE "two;\nlines"""',
      `ALTER ROLE "two;\nlines""" SET search_path TO '$user', 'a;b'`,
      "GRANT app TO kept WITH ADMIN OPTION GRANTED BY postgres",
      "GRANT SET ON PARAMETER work_mem TO app",
    ]);
  });

  it("that are there already are left alone, and what a comment of theirs says is not done", () => {
    expect(script.kept).toEqual(["kept"]);
    expect(script.statements.filter((each) => /mallory|ROLE kept/.test(each))).toEqual([]);
  });
});

describe("a script's statements", () => {
  it.each([
    [String.raw`SELECT E'a\'; b', 'c\'; SELECT 2`, [String.raw`SELECT E'a\'; b', 'c\'`, "SELECT 2"]],
    [`SELECT nameE'; x' ; -- 'open\nSELECT 2`, ["SELECT nameE'; x'", "SELECT 2"]],
    [`SELECT "a;""b" -- c;\n, 1;;`, [`SELECT "a;""b" \n, 1`]],
    ["SELECT 'open; SELECT 2", ["SELECT 'open; SELECT 2"]],
    [`SELECT '${"x".repeat(1_000_000)}';`, [`SELECT '${"x".repeat(1_000_000)}'`]],
    [`SELECT '${"''".repeat(500_000)}';`, [`SELECT '${"''".repeat(500_000)}'`]],
  ])("end where no quote is open", (script, statements) => {
    expect(statementsOf(script)).toEqual(statements);
  });
});
