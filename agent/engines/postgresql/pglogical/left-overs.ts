/** What of ours pglogical still knows in a database: nodes, replication sets, subscriptions. */
import { ownPglogicalSlot } from "#proto/engines/postgresql-names.ts";
import { isOwn } from "../names.ts";
import type { Row, Sql } from "../sql.ts";
import { hasExtension } from "./databases.ts";

const query = `
  SELECT node_name AS name, 'pglogical node ' || node_name || ' in ' || current_database() AS says
    FROM pglogical.node JOIN pglogical.local_node USING (node_id) WHERE ${isOwn("node_name")}
  UNION ALL SELECT set_name, 'replication set ' || set_name || ' in ' || current_database()
    FROM pglogical.replication_set WHERE ${isOwn("set_name")}
  UNION ALL SELECT sub_name, 'pglogical subscription ' || sub_name || ' in ' || current_database()
    FROM pglogical.subscription WHERE ${isOwn("sub_name")} ORDER BY 2`;

/** `name`, and `says` for a person. */
export async function pglogicalLeftOvers(sql: Sql): Promise<readonly Row[]> {
  return (await hasExtension(sql)) ? sql.rows(query) : [];
}

/** Of a slot or an origin: pglogical names both after the subscription, in its own way. */
export const isOurSlot = (name: string) => `${name} ~ '${ownPglogicalSlot}'`;
