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

/** Up to where a server has come; of one that was shut down, all that it has ever done. */
export interface Checkpoint extends Pick<Control, "state"> {
  readonly location: string;
  /** The number that the next thing gets. */
  readonly nextOid: number;
}

interface Place {
  readonly bin: string;
  readonly data: string;
}

/** Refused: `postgresql.control-unreadable`. */
export function readControl(host: Host, place: Place): Promise<Outcome<Control>> {
  return read(host, place, controlIn);
}

/** Refused: `postgresql.control-unreadable`. */
export function readCheckpoint(host: Host, place: Place): Promise<Outcome<Checkpoint>> {
  return read(host, place, checkpointIn);
}

async function read<T>(
  host: Host,
  { bin, data }: Place,
  parse: (text: string) => T | undefined,
): Promise<Outcome<T>> {
  const look = await host.look([`${bin}/pg_controldata`, `--pgdata=${data}`], {
    deadlineMs: lookMs,
    env: { LC_ALL: "C" },
  });
  const found = look.exitCode === 0 ? parse(look.stdout) : undefined;
  if (found !== undefined) return succeed(found);
  const cause = look.spawnError ?? (look.stderr.trim().slice(-300) || "its output is not understood");
  return fail("postgresql.control-unreadable", { data, cause });
}

function linesIn(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split("\n").flatMap((line) => {
      const at = line.indexOf(":");
      return at === -1 ? [] : [[line.slice(0, at).trim(), line.slice(at + 1).trim()] as const];
    }),
  );
}

/** Undefined where a line is missing. */
export function checkpointIn(text: string): Checkpoint | undefined {
  const lines = linesIn(text);
  const state = lines.get("Database cluster state") ?? "";
  const location = lines.get("Latest checkpoint location") ?? "";
  const nextOid = Number(lines.get("Latest checkpoint's NextOID") ?? Number.NaN);
  if (state === "" || location === "" || !(nextOid > 0)) return undefined;
  return { state, location, nextOid };
}

/** Undefined where a line is missing. */
export function controlIn(text: string): Control | undefined {
  const lines = linesIn(text);
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
