/**
 * The stream of rows into a database of the new server, for whom it does not matter which mover has made it: paused, resumed, and with
 * a word of ours upon it that goes with it.
 */
import type { StepContext } from "../../verb.ts";
import { literal, quoted } from "../databases.ts";
import { selfRoleName, subscriptionName } from "./names.ts";
import { isStream, pause, resume } from "./pglogical/streams.ts";
import type { Sql } from "./sql.ts";

export interface InStream {
  pause(context: StepContext, sql: Sql): Promise<void>;
  resume(sql: Sql): Promise<void>;
  /** The statement that says the word, of the same transaction as what it tells of. */
  saying(word: string): string;
  said(sql: Sql): Promise<string | undefined>;
}

/** Of the direction in which the rows of the old server come. */
export async function streamInto(sql: Sql, rollout: string): Promise<InStream> {
  const name = subscriptionName(rollout, "forward", sql.database);
  return (await isStream(sql, name)) ? throughPglogical(rollout, sql.database, name) : native(name);
}

function native(name: string): InStream {
  return {
    pause: (_, sql) => sql.run(`ALTER SUBSCRIPTION ${quoted(name)} DISABLE`),
    resume: (sql) => sql.run(`ALTER SUBSCRIPTION ${quoted(name)} ENABLE`),
    saying: (word) => `COMMENT ON SUBSCRIPTION ${quoted(name)} IS ${literal(word)};\n`,
    said: async (sql) => {
      const words =
        "SELECT obj_description(oid, 'pg_subscription') AS word FROM pg_subscription WHERE subname = $1";
      return (await sql.rows(words, [name]))[0]?.["word"] ?? undefined;
    },
  };
}

const wordSetting = "lockkeeper.word";

/** On its subscription nothing can be said: the role of this server's own node bears the word, for this database. */
function throughPglogical(rollout: string, database: string, name: string): InStream {
  const role = selfRoleName(rollout, "back");
  return {
    pause: (context, sql) => pause(context, sql, name),
    resume: (sql) => resume(sql, name),
    saying: (word) =>
      `ALTER ROLE ${quoted(role)} IN DATABASE ${quoted(database)} SET ${wordSetting} = ${literal(word)};\n`,
    said: async (sql) => {
      const rows = await sql.rows(
        `SELECT substr(each, ${wordSetting.length + 2}) AS word
           FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole JOIN pg_database d ON d.oid = s.setdatabase,
                unnest(s.setconfig) each
          WHERE r.rolname = $1 AND d.datname = current_database() AND each LIKE '${wordSetting}=%'`,
        [role],
      );
      return rows[0]?.["word"] ?? undefined;
    },
  };
}
