/** Parts of queries over relations `c` in schemas `n`: those of users, and those that came with an extension. */

export const relations = "pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace";

/** Schemas named pg_… are the server's own, temporary ones too. */
export const isOfUser = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";

export const isOfExtension = `EXISTS (
  SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`;

export const relationName = "format('%I.%I', n.nspname, c.relname)";
