import { expect, it } from "vitest";
import { subscriptionErrors } from "#agent/engines/postgresql/server-log.ts";

const said = (pid: number, words: string) => `2026-01-31 22:15:00.000 UTC [${pid}] ${words}`;
const applies = 'LOG:  logical replication apply worker for subscription "s" has started';
const copies = (table: string, what: "started" | "finished") =>
  `LOG:  logical replication table synchronization worker for subscription "s", table "${table}" has ${what}`;

const errorsOf = (...lines: readonly string[]) => subscriptionErrors(lines.join("\n"))["s"];

it("what ends the worker that applies is told apart from what ends the copy of a table", () => {
  const errors = errorsOf(
    said(1, applies),
    said(1, 'ERROR:  logical replication target relation "public.late" does not exist'),
    said(2, copies("kept", "started")),
    said(2, "ERROR:  duplicate key value"),
  );
  expect(errors).toEqual({
    apply: 'logical replication target relation "public.late" does not exist',
    copy: "duplicate key value",
  });
});

it("the copy of a table that has come to its end says nothing any more", () => {
  const errors = errorsOf(
    said(2, copies("kept", "started")),
    said(2, "ERROR:  duplicate key value"),
    said(3, copies("kept", "started")),
    said(3, copies("kept", "finished")),
  );
  expect(errors).toEqual({ apply: null, copy: null });
});

it("what the other server's end has stopped says nothing of the data", () => {
  expect(
    errorsOf(said(1, applies), said(1, "ERROR:  could not receive data from WAL stream")),
  ).toBeUndefined();
});
