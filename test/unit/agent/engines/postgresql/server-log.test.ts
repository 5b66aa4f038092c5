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

it("the table of the row is told with what went wrong, once, and where the server tells it", () => {
  const of = (table: string) =>
    `CONTEXT:  processing remote data for replication origin "pg_1" during message type "UPDATE" for replication target relation "${table}" in transaction 566, finished at 0/16372E0`;
  const wrong = "could not identify an equality operator for type json";
  const why = (...lines: readonly string[]) =>
    errorsOf(said(1, applies), ...lines.map((line) => said(1, line)))?.apply;
  expect(why(`ERROR:  ${wrong}`, of("public.docs"))).toBe(`${wrong} (public.docs)`);
  expect(why(`ERROR:  ${wrong}`)).toBe(wrong);
  const missing = 'logical replication target relation "public.late" does not exist';
  expect(why(`ERROR:  ${missing}`, of("public.late"))).toBe(missing);
  // of a later worker, and of something that it only notes
  const later = [said(1, applies), said(1, `ERROR:  ${wrong}`), said(2, applies), said(2, of("public.late"))];
  expect(errorsOf(...later)?.apply).toBe(wrong);
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
