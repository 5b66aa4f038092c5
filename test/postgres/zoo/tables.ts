/** Tables of the zoo that hold rows, by how a row of theirs can be told from another one. */
import type { Major } from "../binaries.ts";

const people: readonly string[] = [
  "create extension hstore",
  "create extension citext",
  "create type mood as enum ('sad', 'so so', 'glücklich')",
  "create domain postcode as text check (value ~ '^[0-9]{4,6}$')",
  "create type address as (street text, code postcode)",
  "create type span_of_prices as range (subtype = numeric)",
  `create table customers (id serial primary key, name text not null, email citext unique, mood mood default 'so so',
    home address, extra hstore, tags text[], paid span_of_prices, since timestamptz not null)`,
  `insert into customers (name, email, mood, home, extra, tags, paid, since)
    select 'Kunde ' || n, 'K' || n || '@Example.org', (array['sad', 'so so', 'glücklich'])[n % 3 + 1]::mood,
      row('Straße ' || n, (10000 + n)::text)::address, hstore('n', n::text), array['a"b', null, 'ü' || n],
      span_of_prices(n, n + 1.50), timestamptz '2024-02-29 12:00+00' + n * interval '1 hour 1 second'
    from generate_series(1, 200) n`,
  "create index on customers (lower(name))",
  "create index customers_tags on customers using gin (tags)",
  `create table orders (id bigint generated always as identity (start with 1000) primary key,
    customer int not null references customers deferrable initially deferred, total numeric(12,2))`,
  "insert into orders (customer, total) select n % 200 + 1, n * 1.25 from generate_series(1, 500) n",
  "alter table orders add constraint total_is_sane check (total < 100) not valid",
  "create table readings (id bigserial primary key, sensor int not null, value float8, note text)",
  `insert into readings (sensor, value, note)
    select n % 17, n / 3.0::float8, case n % 5 when 0 then null when 1 then '' else repeat('x', n % 40) end
    from generate_series(1, 20000) n`,
  "create index readings_of_sensor on readings (sensor, id desc) where value > 10",
  "create table written (id bigint primary key, body text not null)",
];

const withoutKey: readonly string[] = [
  "create table by_index (code text not null, weight int)",
  "create unique index by_index_code on by_index (code)",
  "insert into by_index select 'c' || n, n from generate_series(1, 50) n",
  "create table without_identity (word text, n int)",
  "insert into without_identity select 'same', 1 from generate_series(1, 30)",
  "insert into without_identity values (null, null), ('', 0)",
  "create table json_log (at timestamptz, body json)",
  `insert into json_log select timestamptz '2026-01-01 00:00+00' + n * interval '1 day', '{"n" : [1.0, null],"n":2}'
    from generate_series(1, 20) n`,
  "create table partly_unique (id int not null, active boolean not null)",
  "create unique index partly_unique_active on partly_unique (id) where active",
  "insert into partly_unique select n / 2, n % 2 = 0 from generate_series(1, 40) n",
  "create table nullable_unique (a int unique, b text)",
  "insert into nullable_unique values (1, 'one'), (null, 'none'), (null, 'none')",
  `create table "Odd schema"."Mixed Case; DROP" ("Id" int primary key, "Wert ""x""" text, "select" int default 1)`,
  `insert into "Odd schema"."Mixed Case; DROP" ("Id", "Wert ""x""") select n, 'v' || n from generate_series(1, 25) n`,
  `create table "lager.数据"."表" (id int primary key, 名 text)`,
  `insert into "lager.数据"."表" values (1, '一'), (2, E'zwei\\n"Zeilen"\\t\\\\')`,
];

const families: readonly string[] = [
  "create table vehicles (id int primary key, wheels int)",
  "create table cars (doors int, primary key (id)) inherits (vehicles)",
  "insert into vehicles values (1, 2)",
  "insert into cars values (2, 4, 5), (3, 4, 3)",
  "create unlogged table session_cache (id int primary key, body text)",
  "insert into session_cache select n, 'lost in a crash' from generate_series(1, 100) n",
  "create table measured (at date not null, sensor int not null, value real) partition by range (at)",
  "create table measured_2025 partition of measured for values from ('2025-01-01') to ('2026-01-01')",
  "create table measured_2026 partition of measured for values from ('2026-01-01') to ('2027-01-01')",
];

const measurements = `insert into measured select date '2025-07-01' + n, n, n / 7.0::real from generate_series(0, 299) n`;

function partitions(major: Major): readonly string[] {
  if (major < 11)
    return [
      "alter table measured_2025 add primary key (at, sensor)",
      "alter table measured_2026 add primary key (at, sensor)",
      measurements,
    ];
  return [
    "alter table measured add primary key (at, sensor)",
    measurements,
    "create table hashed (id int primary key, body text) partition by hash (id)",
    "create table hashed_0 partition of hashed for values with (modulus 2, remainder 0)",
    "create table hashed_1 partition of hashed for values with (modulus 2, remainder 1)",
    "insert into hashed select n, 'b' || n from generate_series(1, 60) n",
    "create table listed (kind text not null) partition by list (kind)",
    "create table listed_a partition of listed for values in ('a')",
    "create table listed_rest partition of listed default",
    "insert into listed values ('a'), ('b'), ('c')",
  ];
}

function generated(major: Major): readonly string[] {
  if (major < 12) return [];
  return [
    "create table priced (id int primary key, net numeric, gross numeric generated always as (net * 1.19) stored)",
    "insert into priced (id, net) select n, n * 0.99 from generate_series(1, 30) n",
  ];
}

export function tableSql(major: Major): readonly string[] {
  const schemas = ['create schema "Odd schema"', 'create schema "lager.数据" authorization shop_owner'];
  return [...schemas, ...people, ...withoutKey, ...families, ...partitions(major), ...generated(major)];
}
