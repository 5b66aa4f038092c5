/** The disk that WAL is written to: how full it is, and how fast this server fills it. */
import { statfs } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "#proto/common/clock.ts";
import { type Outcome, succeed } from "#proto/common/failure.ts";
import type { PgWalRoom } from "#proto/engines/postgresql.ts";
import type { Host } from "../../verb.ts";
import type { Sql } from "./sql.ts";

interface Sample {
  readonly atMs: number;
  readonly written: number;
}

/** What was seen earlier, in this agent's memory alone. */
export interface WalPace {
  /** Bytes per second over the last minutes; null until there is enough to say so. */
  bytesPerS(written: number): number | null;
}

const leastMs = 10_000;
const mostMs = 300_000;

export function walPace(clock: Pick<Clock, "monotonicMs">): WalPace {
  let samples: readonly Sample[] = [];
  return {
    bytesPerS: (written) => {
      const now: Sample = { atMs: clock.monotonicMs(), written };
      // a server that was restored or failed over has another count
      const before = samples.filter((each) => now.atMs - each.atMs <= mostMs && each.written <= written);
      samples = [...before, now].slice(-100);
      const [first = now] = before;
      const passedMs = now.atMs - first.atMs;
      return passedMs < leastMs ? null : Math.round(((written - first.written) * 1_000) / passedMs);
    },
  };
}

const written = `pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn()
  ELSE pg_current_wal_lsn() END, '0/0')::text`;

export async function readWalRoom(host: Host, sql: Sql, pace: WalPace): Promise<Outcome<PgWalRoom>> {
  const [row] = await sql.rows(`SELECT current_setting('data_directory') AS folder, ${written} AS written`);
  const { blocks, bavail, bsize } = await statfs(host.path(join(row?.["folder"] ?? "", "pg_wal")));
  return succeed({
    usedPercent: Math.round((1 - bavail / blocks) * 1_000) / 10,
    freeBytes: bavail * bsize,
    bytesPerS: pace.bytesPerS(Number(row?.["written"])),
  });
}
