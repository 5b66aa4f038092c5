/** Builds one object of every kind that an upgrade must carry over, lose knowingly, or stop at. */
import pg from "pg";
import type { Major } from "../binaries.ts";
import type { PostgresServer } from "../server.ts";
import { codeSql, streetSql } from "./code.ts";
import { roleSql, shop, street } from "./roles.ts";
import { tableSql } from "./tables.ts";
import { valueSql } from "./values.ts";

export interface ZooStatement {
  readonly database: string;
  readonly sql: string;
}

/**
 * To be run one by one by a superuser, those of one database in one session. For servers of this major and any newer
 * one: what a major cannot have, and what only a newer one can, is left out.
 */
export function zooSql(major: Major): readonly ZooStatement[] {
  const into = (database: string, statements: readonly string[]) =>
    statements.map((sql) => ({ database, sql }));
  return [
    ...into("postgres", roleSql),
    ...into(shop, [...tableSql(major), ...valueSql(major), ...codeSql(major)]),
    ...into(street, streetSql),
  ];
}

/** Of the server's own major where none is told. */
export async function loadZoo(server: PostgresServer, major: Major = server.major): Promise<void> {
  for (const database of ["postgres", shop, street]) {
    const client = new pg.Client({ connectionString: server.urlOf(database) });
    await client.connect();
    try {
      for (const each of zooSql(major)) if (each.database === database) await run(client, each.sql);
    } finally {
      await client.end();
    }
  }
}

async function run(client: pg.Client, sql: string): Promise<void> {
  await client.query(sql).catch((error: Error) => {
    throw new Error(`${error.message}\nin: ${sql}`);
  });
}
