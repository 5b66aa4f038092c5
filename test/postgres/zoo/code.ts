/** Of the zoo, what acts or points elsewhere: functions, triggers, views, rules, policies, servers, grants. */
import type { Major } from "../binaries.ts";
import { writerRole } from "./roles.ts";

const functions: readonly string[] = [
  "create function double(n int) returns int language sql immutable strict as 'select n * 2'",
  `create function greet(who text, out greeting text) language plpgsql security definer set search_path = public as
    $f$ begin greeting := 'Grüß Gott, ' || who || '; $$'; end $f$`,
  "create aggregate product(int) (sfunc = int4mul, stype = int, initcond = '1')",
  "create index doubled on by_index (double(weight))",
  "comment on function double(int) is 'twice'",
  "create function note_ddl() returns event_trigger language plpgsql as $$ begin end $$",
  "create event trigger note_ddl on ddl_command_end when tag in ('DROP TABLE') execute procedure note_ddl()",
];

/** The function names its table without a schema: with an empty search_path it fails. */
const triggers: readonly string[] = [
  "create table audit (what text)",
  `create function note_change() returns trigger language plpgsql as
    $$ begin insert into audit values (tg_table_name || ' ' || tg_op); return new; end $$`,
  ...["watched_always", "watched_replica", "watched_plainly", "watched_never"].flatMap((table) => [
    `create table ${table} (id int primary key)`,
    `create trigger note after insert on ${table} for each row execute procedure note_change()`,
  ]),
  "alter table watched_always enable always trigger note",
  "alter table watched_replica enable replica trigger note",
  "alter table watched_never disable trigger note",
  ...["watched_always", "watched_replica", "watched_plainly", "watched_never"].map(
    (table) => `insert into ${table} select generate_series(1, 10)`,
  ),
];

const views: readonly string[] = [
  "create view dear_orders with (security_barrier) as select * from orders where total > 300",
  "create view customer_names as select id, name from customers",
  `create rule no_deletes as on delete to customer_names do instead
    insert into audit values ('kept ' || old.id)`,
  "create materialized view totals as select customer, sum(total) as total from orders group by customer",
  "create unique index totals_customer on totals (customer)",
  "create materialized view not_filled as select 1 as one with no data",
];

const policies: readonly string[] = [
  "create table private_notes (id int primary key, owner text not null, body text)",
  "insert into private_notes select n, case n % 2 when 0 then 'anna' else 'other' end, 'n' from generate_series(1, 10) n",
  "alter table private_notes owner to shop_owner",
  "alter table private_notes enable row level security",
  "alter table private_notes force row level security",
  "create policy own_notes on private_notes to readers using (owner = 'anna') with check (owner = 'anna')",
];

const elsewhere: readonly string[] = [
  "create extension postgres_fdw",
  "create server other_shop foreign data wrapper postgres_fdw options (host '127.0.0.1', port '1', dbname 'shop')",
  `create user mapping for ${writerRole} server other_shop options (user 'remote', password 'pass''word')`,
  "create foreign table far_orders (id bigint, total numeric) server other_shop options (table_name 'orders')",
  "create text search configuration plain (copy = simple)",
  'create collation bytewise from "C"',
  "create statistics sensors on sensor, note from readings",
];

const rights: readonly string[] = [
  "alter default privileges for role shop_owner in schema public grant select on tables to readers",
  "alter default privileges for role shop_owner grant usage on sequences to readers",
  "grant usage on schema public, counters to readers",
  "grant select on all tables in schema public to readers",
  `grant select, insert, update, delete on written, customers to ${writerRole}`,
  `grant usage, update on all sequences in schema public to ${writerRole}`,
  "grant select (id, name), update (name) on customers to auditors with grant option",
  "revoke execute on function greet(text) from public",
  "alter table written owner to shop_owner",
  'alter table "lager.数据"."表" owner to shop_owner',
  `comment on table customers is $$with 'quotes', a \\ and a
second line$$`,
  "comment on column customers.name is 'as on the door'",
  "alter table readings alter column sensor set statistics 500",
  "alter table readings set (autovacuum_vacuum_scale_factor = 0.05)",
];

/** The second database: little, but none of its names is plain. */
export const streetSql: readonly string[] = [
  'create schema "Häuser"',
  'create table "Häuser"."Nr. ""7""" (id int primary key, bewohner text)',
  `insert into "Häuser"."Nr. ""7""" select n, 'Nr ' || n from generate_series(1, 12) n`,
  "select lo_from_bytea(80001, 'here too')",
];

export function codeSql(major: Major): readonly string[] {
  const procedure = "create procedure nothing() language plpgsql as $$ begin commit; end $$";
  const since11 = major < 11 ? [] : [procedure];
  return [...functions, ...since11, ...triggers, ...views, ...policies, ...elsewhere, ...rights];
}
