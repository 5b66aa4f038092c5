/** Values that a copy through text, or a comparison of texts, gets wrong; and what no row holds. */
import type { Major } from "../binaries.ts";

const awkward: readonly string[] = [
  `create table awkward (id int primary key, f8 float8, f4 real, f8s float8[], num numeric, bytes bytea,
    at timestamptz, day date, length interval, cash money, place point, net inet, uid uuid, doc jsonb, bits bit varying,
    words tsvector, line text)`,
  `insert into awkward (id, f8, f4, f8s, num) values
    (1, 1.0::float8 / 3, 1.0::real / 3, array[1e-300, 2.0 / 3, null]::float8[], 'NaN'),
    (2, 'NaN', 'Infinity', '{NaN,-Infinity}', 12345678901234567890.123456789000),
    (3, '-Infinity', '-0', '{}', -0.000), (4, '-0', 1e-45, '{0.1}', 1e100),
    (5, 5e-324, 16777217, null, null), (6, 1.7976931348623157e308, 3.4028235e38, '{{1,2},{3,4}}', 0.1)`,
  `insert into awkward (id, bytes, at, day, length, cash, place) values
    (7, '\\x00ff5c27', 'infinity', '-infinity', '-1 year 2 mons -3 days 04:05:06.000007', -1234.56, '(0.1,-0.3333333333333333)'),
    (8, '', '0044-03-15 12:00+00 BC', '5874897-12-31', '0', 0.005::numeric::money, '(1e300,NaN)'),
    (9, null, '2026-10-25 01:30:00.123456+00', '2000-02-29', '1000000 hours', null, null)`,
  `insert into awkward (id, net, uid, doc, bits, words, line) values
    (10, '::ffff:10.0.0.1/96', '00000000-0000-0000-0000-000000000001', '{"b": 1.10, "a": [null, "\\u00e9"]}', B'',
      'a:1 b:2A', ''),
    (11, '10.0.0.0/8', null, 'null', B'0101', '', E'tab\\tline\\nback\\\\slash \\\\. ''quote'' \\u4e24'),
    (12, null, null, '1e2', null, null, repeat('long ', 4000))`,
  "create table xml_documents (id int primary key, body xml)",
  "insert into xml_documents values (1, '<a b=\"c\">ü</a>'), (2, null)",
];

const sequences: readonly string[] = [
  "create schema counters",
  "create sequence counters.ascending increment 7 start 100",
  "select nextval('counters.ascending') from generate_series(1, 3)",
  "create sequence counters.never_called start 42",
  "create sequence counters.descending increment -1 maxvalue 1000 minvalue -1000 start 10",
  "select nextval('counters.descending') from generate_series(1, 15)",
  "create sequence counters.cached cache 50",
  "select nextval('counters.cached')",
  "create sequence counters.narrow as smallint maxvalue 12000 start 11999 cycle",
  "select nextval('counters.narrow')",
  "create sequence counters.set_back",
  "select setval('counters.set_back', 777, false)",
];

/** What `last_value` and `is_called` of each say after the zoo was built. */
export const zooSequences: Readonly<Record<string, { readonly last: number; readonly called: boolean }>> = {
  "counters.ascending": { last: 114, called: true },
  "counters.never_called": { last: 42, called: false },
  "counters.descending": { last: -4, called: true },
  // fifty are taken at a time
  "counters.cached": { last: 50, called: true },
  "counters.narrow": { last: 11_999, called: true },
  "counters.set_back": { last: 777, called: false },
  "public.customers_id_seq": { last: 200, called: true },
  "public.orders_id_seq": { last: 1_499, called: true },
  "public.readings_id_seq": { last: 20_000, called: true },
};

const largeObjects: readonly string[] = [
  "select lo_from_bytea(70001, '\\x00010203')",
  "select lo_from_bytea(70002, decode(repeat('ab', 9000), 'hex'))",
  "select lo_from_bytea(70003, '')",
  "alter large object 70002 owner to shop_owner",
  "grant select on large object 70001 to readers",
  "comment on large object 70001 is 'four bytes'",
];

export const zooLargeObjects: readonly number[] = [70_001, 70_002, 70_003];

export function valueSql(major: Major): readonly string[] {
  const infinite =
    major < 14 ? [] : ["insert into awkward (id, num) values (13, 'Infinity'), (14, '-Infinity')"];
  return [...awkward, ...infinite, ...sequences, ...largeObjects];
}
