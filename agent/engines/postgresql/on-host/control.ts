/** The control file of a data folder, as the version's own `pg_controldata` prints it; and whether a server lives in the folder. */
import { readFile, readlink, realpath } from "node:fs/promises";
import { join } from "node:path";
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Host } from "../../../verb.ts";

export interface Control {
  readonly systemId: string;
  /** `shut down`, `in production`, `shut down in recovery` … */
  readonly state: string;
  readonly walSegmentBytes: number;
  /** 0: none. */
  readonly checksumVersion: number;
}

const lookMs = 10_000;

/** Refused: `postgresql.control-unreadable`. */
export async function readControl(
  host: Host,
  { bin, data }: { readonly bin: string; readonly data: string },
): Promise<Outcome<Control>> {
  const look = await host.look([`${bin}/pg_controldata`, `--pgdata=${data}`], {
    deadlineMs: lookMs,
    env: { LC_ALL: "C" },
  });
  const found = look.exitCode === 0 ? controlIn(look.stdout) : undefined;
  if (found !== undefined) return succeed(found);
  const cause = look.spawnError ?? (look.stderr.trim().slice(-300) || "its output is not understood");
  return fail("postgresql.control-unreadable", { data, cause });
}

/** Undefined where a line is missing. */
export function controlIn(text: string): Control | undefined {
  const lines = new Map(
    text.split("\n").flatMap((line) => {
      const at = line.indexOf(":");
      return at === -1 ? [] : [[line.slice(0, at).trim(), line.slice(at + 1).trim()] as const];
    }),
  );
  const systemId = lines.get("Database system identifier") ?? "";
  const state = lines.get("Database cluster state") ?? "";
  const walSegmentBytes = Number(lines.get("Bytes per WAL segment") ?? Number.NaN);
  const checksumVersion = Number(lines.get("Data page checksum version") ?? Number.NaN);
  if (!/^\d+$/.test(systemId) || state === "" || !(walSegmentBytes > 0) || !(checksumVersion >= 0))
    return undefined;
  return { systemId, state, walSegmentBytes, checksumVersion };
}

/** Of the process that has this folder as its own; 0: none. A postmaster works in its data folder. */
export async function postmasterIn(host: Host, data: string): Promise<number> {
  const folder = host.path(data);
  const text = await readFile(join(folder, "postmaster.pid"), "utf8").catch(() => "");
  const pid = Number(text.split("\n")[0]);
  if (!Number.isInteger(pid) || pid <= 0) return 0;
  const at = await readlink(host.path(`/proc/${pid}/cwd`)).catch(() => undefined);
  const own = await realpath(folder).catch(() => folder);
  return at === own || at === data ? pid : 0;
}
