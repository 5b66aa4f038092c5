/**
 * The kept start made again, and a process ended that no unit keeps. Both are the same words however often they are
 * made: a step that is met again after the agent's restart must be the step that it was.
 */
import { access } from "node:fs/promises";
import type { Host, ToolRequest } from "../../verb.ts";
import { asPrlimit, asProperties } from "./limits.ts";
import { environmentFile, type StartRecord, unitEnvironmentFile } from "./start-record.ts";

type Argv = ToolRequest["argv"];

const stopSeconds = 90;

/** What systemd does to a service: TERM, patience, KILL. */
const stopScript = `servers() {
  for process in /proc/[0-9]*; do
    [ "$(readlink "$process/exe" 2>/dev/null)" = "$binary" ] || continue
    tr '\\0' '\\n' <"$process/cmdline" 2>/dev/null | sed -n 2p | grep -q '^start' && echo "\${process#/proc/}"
  done
}
binary=$1 seconds=$2 waited=0; shift 2
for pid in $(servers); do kill -TERM "$pid"; done
while [ -n "$(servers)" ]; do
  [ "$waited" -lt "$((seconds * 5))" ] || for pid in $(servers); do kill -KILL "$pid"; done
  sleep 0.2; waited=$((waited + 1))
done
[ $# -eq 0 ] || exec "$@"`;

export function stopProcess(binary: string, then: readonly string[] = []): Argv {
  return ["sh", "-c", stopScript, "stop-database", binary, String(stopSeconds), ...then];
}

/** Without systemd, as a demo host: a session of its own, which no end of the agent reaches. */
const detachScript = `file=$1 folder=$2 mask=$3 output=$4 errors=$5; shift 5
while IFS= read -r -d '' entry; do
  [[ $entry =~ ^[A-Za-z_][A-Za-z0-9_]*= ]] && export "$entry"
done <"$file"
umask "$mask" && cd "$folder" && exec setsid --fork "$@" </dev/null >>"$output" 2>>"$errors"`;

/** `binary` in place of the first word, which may be a relative path. */
export async function startProcess(
  host: Host,
  { start }: StartRecord,
  { binary, unit }: { readonly binary: string; readonly unit: string },
): Promise<Argv> {
  const [, ...words] = start.argv;
  const { cwd, uid, gid, umask, limits, output = "/dev/null", errors = output } = start;
  if (!(await hasSystemd(host))) {
    const how = [environmentFile(host), cwd, umask, output, errors, "prlimit", ...asPrlimit(limits)];
    return ["env", "-i", "bash", "--norc", "-c", detachScript, "start-database", ...how, binary, ...words];
  }
  return [
    "systemd-run",
    "--quiet",
    "--collect",
    `--unit=${unit}.service`,
    "--description=KWDB, started by Lockkeeper as it was started before",
    `--uid=${uid}`,
    `--gid=${gid}`,
    `--working-directory=${cwd}`,
    "--property=Type=exec",
    `--property=UMask=${umask}`,
    `--property=TimeoutStopSec=${stopSeconds}`,
    `--property=EnvironmentFile=${unitEnvironmentFile(host)}`,
    ...(start.output === undefined ? [] : [`--property=StandardOutput=append:${output}`]),
    ...(start.errors === undefined ? [] : [`--property=StandardError=append:${errors}`]),
    ...asProperties(limits),
    "--",
    binary,
    // systemd replaces $WORD in the arguments of a service; a doubled $ is its way to write one
    ...words.map((word) => word.replaceAll("$", "$$$$")),
  ];
}

async function hasSystemd(host: Host): Promise<boolean> {
  if (host.path("/") !== "/") return false;
  return access("/run/systemd/system").then(
    () => true,
    () => false,
  );
}
