import { describe, expect, it } from "vitest";
import { clientFailure, readAnswers, readTable } from "#agent/engines/kwdb/answers.ts";
import type { Look } from "#agent/verb.ts";
import { lookOf } from "./fake-host.ts";

const first = { sql: "a", columns: ["node_id", "draining"] };
const second = { sql: "b", columns: ["job_id", "status"] };
const both = "node_id,draining\n1,false\n2,true\njob_id,status\n7,running\n";
const refused = { exitCode: 1, stderr: 'ERROR: no\nFailed running "sql"\n' };

/** The rows of each question, or the code of why there are none. */
function told(look: Look) {
  return readAnswers(look, [first, second]).map((each) =>
    each.ok ? each.value.map((row) => Object.values(row).join(" ")) : each.failure.code,
  );
}

describe("several answers of one run", () => {
  it.each<[string, Look, readonly unknown[]]>([
    ["both", lookOf(both), [["1 false", "2 true"], ["7 running"]]],
    ["both without rows", lookOf("node_id,draining\njob_id,status\n"), [[], []]],
    [
      "the second was refused",
      lookOf("node_id,draining\n1,false\n", refused),
      [["1 false"], "kwdb.client-failed"],
    ],
    ["nothing was answered", lookOf("", refused), ["kwdb.client-failed", "kwdb.client-failed"]],
    [
      "killed while the first was printed: rows may be missing",
      lookOf("node_id,draining\n1,false\n", { exitCode: undefined, timedOut: true }),
      ["kwdb.client-failed", "kwdb.client-failed"],
    ],
    [
      "killed while the second was printed: the first is whole",
      lookOf(both, { exitCode: undefined, signal: "SIGKILL" }),
      [["1 false", "2 true"], "kwdb.client-failed"],
    ],
    [
      "cut at its front by our own limit",
      lookOf("alse\n2,true\njob_id,status\n7,running\n"),
      ["kwdb.answer-unreadable", "kwdb.answer-unreadable"],
    ],
    [
      "success, and a question that was not answered",
      lookOf("node_id,draining\n1,false\n"),
      [["1 false"], "kwdb.answer-unreadable"],
    ],
    [
      "another column",
      lookOf("node_id,draining,mood\n1,false,low\n"),
      ["kwdb.answer-unreadable", "kwdb.answer-unreadable"],
    ],
    [
      "a row with a cell too few",
      lookOf("node_id,draining\n1\njob_id,status\n"),
      ["kwdb.answer-unreadable", []],
    ],
  ])("%s", (_, look, outcome) => {
    expect(told(look)).toEqual(outcome);
  });
});

describe("a table", () => {
  const wanted = ["id", "is_live"];

  it("may have other columns between, in any order", () => {
    const read = readTable(lookOf("is_live,locality,id\ntrue,region=NODE1,1\n"), wanted);
    expect(read).toMatchObject({ ok: true, value: [{ id: "1", is_live: "true" }] });
  });

  it.each<[string, Look, string]>([
    ["without a column that is needed", lookOf("id,locality\n1,x\n"), "kwdb.answer-unreadable"],
    ["of tabs", lookOf("id\tis_live\n1\ttrue\n"), "kwdb.answer-unreadable"],
    ["that is empty", lookOf(""), "kwdb.answer-unreadable"],
    ["whose row was cut", lookOf("id,is_live\n1"), "kwdb.answer-unreadable"],
    ["that failed", lookOf("id,is_live\n1,true\n", refused), "kwdb.client-failed"],
  ])("%s is no table", (_, look, code) => {
    expect(readTable(look, wanted)).toMatchObject({ ok: false, failure: { code } });
  });
});

describe("what the client says when it fails", () => {
  it.each<[string, Partial<Look>, string]>([
    [
      "nobody listens",
      {
        stderr:
          'ERROR: cannot dial server.\nIs the server running?\nIf the server is running, check --host client-side and --advertise server-side.\n\ndial tcp 127.0.0.1:26257: connect: connection refused\nFailed running "node status"\n',
      },
      "cannot dial server. dial tcp 127.0.0.1:26257: connect: connection refused",
    ],
    ["a hint", { stderr: 'ERROR: not yet\nHINT: wait\nFailed running "sql"\n' }, "not yet HINT: wait"],
    ["an error alone", { stderr: 'ERROR: no such table\nFailed running "sql"\n' }, "no such table"],
    ["too late", { timedOut: true, exitCode: undefined }, "it did not answer in time"],
    ["not there", { spawnError: "ENOENT", exitCode: undefined }, "ENOENT"],
    ["silent", {}, "exit 1"],
  ])("%s", (_, look, cause) => {
    expect(clientFailure(lookOf("", { exitCode: 1, ...look })).facts["cause"]).toBe(cause);
  });
});
