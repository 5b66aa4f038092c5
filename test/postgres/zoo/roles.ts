/** What of the zoo belongs to the whole server: roles, their settings, the databases. */

export const shop = "shop";
export const street = 'Straße "2" 数据';

/** Quoted as PostgreSQL wants a name. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Password of every role that may log in, kept as SCRAM. */
export const zooPassword = "Käse & 'Brot'";
const password = `'${zooPassword.replaceAll("'", "''")}'`;

/** Not the owner of anything: who writes while an upgrade goes on. */
export const writerRole = "app_writer";

export const roleSql: readonly string[] = [
  "set password_encryption = 'scram-sha-256'",
  `create role shop_owner login password ${password}`,
  "create role readers",
  `create role ${writerRole} login connection limit 20 valid until '2099-12-31' password ${password}`,
  `create role "Anna Müller" login noinherit in role readers password ${password}`,
  "create role auditors createrole",
  "grant readers to auditors with admin option",
  `alter role ${writerRole} set statement_timeout = '5min'`,
  "comment on role readers is 'those who may read; nobody''s own'",
  `create database ${shop} owner shop_owner template template0`,
  `create database ${quoted(street)} template template0`,
  `alter database ${shop} set datestyle = 'SQL, DMY'`,
  `alter database ${shop} set timezone = 'Asia/Shanghai'`,
  `alter database ${shop} connection limit 45`,
  `alter database ${quoted(street)} set work_mem = '6MB'`,
  `alter role "Anna Müller" in database ${shop} set work_mem = '8MB'`,
  `alter role ${writerRole} in database ${quoted(street)} set search_path = 'Häuser', public`,
  `revoke temporary on database ${shop} from public`,
  `grant create on database ${shop} to auditors`,
  `comment on database ${shop} is 'one with everything'`,
];
