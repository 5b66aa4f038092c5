/** The hash that pglogical shortens names with is the one that servers give, from the oldest to the newest. */
import fc from "fast-check";
import pg from "pg";
import { afterEach, expect, it } from "vitest";
import { serverHash } from "#agent/engines/postgresql/pglogical/server-hash.ts";
import { serverOf, stopAll } from "./asked-server.ts";

afterEach(stopAll);

it.each([10, 18] as const)("of texts of every length, on %i", async (major) => {
  const server = await serverOf(major);
  const text = fc.string({ unit: "grapheme", maxLength: 40 }).filter((each) => !each.includes("\0"));
  const texts = fc.sample(text, { numRuns: 500, seed: 7 });
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  const { rows } = await client.query(
    "SELECT ('x' || lpad(to_hex(hashtext(each)), 16, '0'))::bit(64)::bigint::text AS hash FROM unnest($1::text[]) WITH ORDINALITY AS t(each, place) ORDER BY place",
    [texts],
  );
  await client.end();
  expect(rows.map(({ hash }) => Number(hash))).toEqual(texts.map((each) => serverHash(Buffer.from(each))));
});
