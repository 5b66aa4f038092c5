/** Why a database does not follow: by the server's words, whatever a table or a constraint in them is called. */
import { expect, it } from "vitest";
import { followerOf } from "#coordinator/playbooks/postgresql/replication.ts";
import { en } from "#proto/catalogue/en/index.ts";
import { subscription } from "./pair.ts";

const down = (lastError: string) =>
  followerOf("new1", { ...subscription("lockkeeper_r1"), isWorking: false, errors: 3, lastError }).why;

it.each([
  [
    'logical replication target relation "public.user_connections" does not exist',
    "postgresql.table-missing",
  ],
  ['duplicate key value violates unique constraint "connections_pkey"', "postgresql.row-conflict"],
  ['too many connections for database "shop"', "postgresql.apply-failed"],
  ['replication slot "lockkeeper_r1" does not exist', "postgresql.slot-missing"],
  // nothing to mend: it comes again by itself
  [
    'could not connect to the publisher: connection to server at "10.0.0.1" failed',
    "postgresql.subscription-down",
  ],
  [
    'connection to server at "10.0.0.1", port 5432 failed: Connection refused',
    "postgresql.subscription-down",
  ],
])("%s", (lastError, code) => {
  const why = down(lastError);
  expect(why?.code).toBe(code);
  const says = en[code]?.says ?? "";
  const asked = [...says.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
  expect(asked.filter((name) => why?.facts[name] === undefined)).toEqual([]);
});

// by 15 and by 18: no stream begins, and the subscriber counts no error
it.each([
  'could not start WAL streaming: ERROR:  cannot read from logical replication slot "lockkeeper_r1"',
  'could not start WAL streaming: ERROR:  can no longer access replication slot "lockkeeper_r1"',
  'could not start WAL streaming: ERROR:  replication slot "lockkeeper_r1" does not exist',
])("an uncounted one is told too: %s", (lastError) => {
  const own = { ...subscription("lockkeeper_r1"), isWorking: false, errors: 0, lastError };
  expect(followerOf("new1", own).why?.code).toBe("postgresql.slot-missing");
});
