import { expect, it } from "vitest";
import { readServer } from "#agent/engines/postgresql/facts.ts";
import type { Row, Sql } from "#agent/engines/postgresql/sql.ts";
import { FailureError, failure } from "#proto/common/failure.ts";

/** A server that has not the function by which the others tell who they are, as 9.5 says so. */
function serverOf(version: string, versionNum: string): Sql {
  const rows = async (text: string): Promise<readonly Row[]> => {
    if (text.includes("pg_control_system"))
      throw new FailureError(
        failure("postgresql.sql-failed", { cause: "function pg_control_system() does not exist" }),
      );
    return [text.startsWith("SHOW") ? { server_version: version } : { num: versionNum }];
  };
  return { database: "postgres", rows, run: () => Promise.resolve() };
}

it("an old server is told by its name, and as never tested", async () => {
  expect(await readServer(serverOf("9.5.25", "90525"))).toEqual({
    ok: false,
    failure: { code: "postgresql.never-tested", facts: { version: "9.5.25" } },
  });
});

it("what a newer one refuses is its own word", async () => {
  await expect(readServer(serverOf("15.18", "150018"))).rejects.toThrow(FailureError);
});
