/** What of ours pglogical still knows in a database: nodes, replication sets, subscriptions. */
import type { Row, Sql } from "../sql.ts";
import { hasExtension } from "./databases.ts";

const ours = "LIKE 'lockkeeper\\_%'";

const query = `
  SELECT node_name AS name, 'pglogical node ' || node_name || ' in ' || current_database() AS says
    FROM pglogical.node JOIN pglogical.local_node USING (node_id) WHERE node_name ${ours}
  UNION ALL SELECT set_name, 'replication set ' || set_name || ' in ' || current_database()
    FROM pglogical.replication_set WHERE set_name ${ours}
  UNION ALL SELECT sub_name, 'pglogical subscription ' || sub_name || ' in ' || current_database()
    FROM pglogical.subscription WHERE sub_name ${ours} ORDER BY 2`;

/** `name`, and `says` for a person. */
export async function pglogicalLeftOvers(sql: Sql): Promise<readonly Row[]> {
  return (await hasExtension(sql)) ? sql.rows(query) : [];
}

/** Of a slot or an origin: pglogical names both after the subscription, in its own way. */
export const isOurSlot = (name: string) => `${name} ~ '^pgl_.*_lockkeep[0-9a-f]{7,8}$'`;
