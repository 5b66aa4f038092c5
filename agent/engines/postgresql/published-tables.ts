/** Of schemas `n`: what pglogical notes for itself is each server's own. */
export const isOfMover =
  "(n.nspname = 'pglogical' AND EXISTS (SELECT FROM pg_extension WHERE extname = 'pglogical'))";

/** Tables of users that are published by FOR ALL TABLES: permanent ones, partitions rather than their parents. */
export const publishedTables = `
  pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND c.oid >= 16384
     AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
     AND NOT ${isOfMover}`;

export const tableName = "quote_ident(n.nspname) || '.' || quote_ident(c.relname)";
