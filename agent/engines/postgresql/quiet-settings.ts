/** Settings that some servers have, by version or extension: set in each session of ours where they are there. */

/** By them a statement would stand in a log or in statistics: one of ours may hold a verifier. Most are a superuser's to set. */
const ofStatements = {
  debug_print_raw_parse: "off",
  debug_print_parse: "off",
  debug_print_rewritten: "off",
  debug_print_plan: "off",
  log_transaction_sample_rate: "0",
  log_min_duration_sample: "-1",
  "auto_explain.log_min_duration": "-1",
  "pg_stat_statements.track": "none",
};

/** What was a table when it was listed may be another one's view when it is read, with functions of theirs in it. */
const ofRelations = { restrict_nonsystem_relation_kind: "view, foreign-table" };

/** Whoever may watch the server reads there what each session is at. */
const ofActivity = { track_activities: "off" };

interface Session {
  readonly isSuperuser: boolean;
  readonly readsRows: boolean;
  readonly hasSecrets: boolean;
}

/** One statement, for a session that was just begun. */
export function quietQuery({ isSuperuser, readsRows, hasSecrets }: Session): string {
  const wanted = {
    ...(isSuperuser ? ofStatements : {}),
    ...(readsRows ? ofRelations : {}),
    ...(hasSecrets ? ofActivity : {}),
  };
  return `SELECT set_config(name, value, false) FROM ${valuesOf(wanted)}`;
}

/** `name`, `value`: those that this server has, for the words that a client program begins with. */
export const quietWords = `SELECT name, value FROM ${valuesOf(ofStatements)}`;

function valuesOf(wanted: Readonly<Record<string, string>>): string {
  const rows = Object.entries(wanted).map(([name, value]) => `('${name}', '${value}')`);
  return `pg_settings JOIN (VALUES ${rows.join(", ")}) AS wanted (name, value) USING (name)`;
}
