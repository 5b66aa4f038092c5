/** Where a new server is made, by the agent's own file: all that these verbs may touch. */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Host } from "../../../verb.ts";
import { stop } from "../desk.ts";
import type { Means } from "../settings.ts";

export interface MadePlace {
  readonly unit: string;
  readonly bin: string;
  readonly data: string;
  /** Folder of `postgresql.conf`; the data folder itself where the two are one. */
  readonly config: string;
  readonly account: string;
  readonly listen: string | undefined;
  readonly tablespaces: Readonly<Record<string, string>>;
}

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

const lookMs = 5_000;

export function placeIn({ settings: { made } }: Means): MadePlace | undefined {
  return made === undefined ? undefined : { ...made, config: made.config ?? made.data, listen: made.listen };
}

/** Ends the step where the agent's file allows nothing to be made. */
export function placeOf(means: Means): MadePlace {
  return placeIn(means) ?? stop("postgresql.make-not-allowed");
}

export function foldersOf({ data, config, tablespaces }: MadePlace): readonly string[] {
  return [...new Set([data, config, ...Object.values(tablespaces)])];
}

/** Refused: `postgresql.account-unknown`. */
export async function readAccount(host: Host, account: string): Promise<Outcome<Account>> {
  const looks = await Promise.all(
    ["-u", "-g"].map((word) => host.look(["id", word, account], { deadlineMs: lookMs })),
  );
  const [uid, gid] = looks.map(({ stdout }) => stdout.trim());
  if (looks.every(({ exitCode }) => exitCode === 0) && /^\d+$/.test(`${uid}${gid}`))
    return succeed({ uid: Number(uid), gid: Number(gid) });
  const cause = looks.map(({ spawnError, stderr }) => spawnError ?? stderr.trim().slice(-200)).join("; ");
  return fail("postgresql.account-unknown", { account, cause });
}
