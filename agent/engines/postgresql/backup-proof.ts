/**
 * The operator's own word on a backup: a command of the agent's file. It may take longer than a sample does, and samples come
 * every few seconds: so one run at a time answers all who ask, and its answer holds until the next one has ended.
 */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { PgBackup } from "#proto/engines/postgresql-readiness.ts";
import type { Host } from "../../verb.ts";
import type { Means } from "./settings.ts";

/** Resolves with null where the agent's file names no command. Refused: `postgresql.backup-not-asked`. */
export type BackupProof = () => Promise<Outcome<PgBackup | null>>;

const deadlineMs = 60_000;
/** After this long it is asked anew, and after the second no longer believed. */
const askAgainMs = 60_000;
const holdsMs = askAgainMs + deadlineMs;
const lineLength = 200;

export function backupProof(host: Host, { settings }: Means): BackupProof {
  const [program, ...words] = settings.hooks.proveBackup ?? [];
  if (program === undefined) return () => Promise.resolve(succeed(null));
  let last: { readonly said: Outcome<PgBackup>; readonly atMs: number } | undefined;
  let run: Promise<Outcome<PgBackup>> | undefined;
  const begin = async () => {
    const said = await ask(host, [program, ...words]);
    last = { said, atMs: host.clock.monotonicMs() };
    run = undefined;
    return said;
  };
  return () => {
    const ageMs = last === undefined ? Number.POSITIVE_INFINITY : host.clock.monotonicMs() - last.atMs;
    if (last !== undefined && ageMs < askAgainMs) return Promise.resolve(last.said);
    run ??= begin();
    return last !== undefined && ageMs < holdsMs ? Promise.resolve(last.said) : run;
  };
}

async function ask(host: Host, argv: readonly [string, ...string[]]): Promise<Outcome<PgBackup>> {
  const { exitCode, timedOut, signal, spawnError, stdout, stderr } = await host.look(argv, { deadlineMs });
  if (exitCode === undefined || timedOut) {
    const cause = timedOut ? `no end within ${deadlineMs / 1_000} s` : (spawnError ?? signal ?? "");
    return fail("postgresql.backup-not-asked", { cause });
  }
  const lines = `${stdout}\n${stderr}`.split("\n").map((line) => line.trim());
  return succeed({ exitCode, lastLine: (lines.findLast((line) => line !== "") ?? "").slice(0, lineLength) });
}
