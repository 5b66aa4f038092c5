/**
 * KWDB compiled from source: `bin` and `lib` in a folder, started by a unit of the operator's own or as a process of
 * its own. There is no MODE and no `.version`: the words it was started with say what it is.
 */
import { createHash } from "node:crypto";
import { type Facts, FailureError, fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Host, ToolRequest } from "../../verb.ts";
import { serversBelow, serversOfFile } from "./compiled-processes.ts";
import { hostPath, isThere } from "./files.ts";
import {
  type Installation,
  type Means,
  type Order,
  placeInMode,
  runningOr,
  type ServiceState,
} from "./installation.ts";
import { startProcess, stopProcess } from "./launch.ts";
import { binaryVersion } from "./program.ts";
import { securityWords } from "./script-installation.ts";
import type { KwdbSettings } from "./settings.ts";
import { namesOf, readStart, type Start, variable } from "./start.ts";
import { keptStart } from "./start-record.ts";
import { readWords, type StartedWith } from "./start-words.ts";
import { storesOfProcess } from "./stores.ts";
import { readUnit } from "./unit.ts";

export type ProgramSettings = NonNullable<KwdbSettings["program"]>;

export interface Compiled extends Installation {
  /** As paths of the host. */
  readonly folder: string;
  readonly binary: string;
  /** Of the process that runs; where none does, what was kept of the last one. */
  start(): Promise<Outcome<Start>>;
}

const lookMs = 10_000;

export async function compiledInstallation(
  host: Host,
  { programs }: Means,
  { folder, unit, startedAs }: ProgramSettings,
): Promise<Compiled> {
  const binary = `${folder}/bin/kwbase`;
  const file = host.path(binary);
  const service = () => (unit === undefined ? processState(file) : unitState(host, unit));
  const start = async () => {
    const state = await service();
    if (!state.ok) return state;
    if (state.value.mainPid !== 0) return readStart(state.value.mainPid);
    const kept = await keptStart(host);
    return kept.ok ? succeed(kept.value.start) : kept;
  };
  const startedWith = async (): Promise<Outcome<StartedWith>> => {
    const found = await start();
    return found.ok ? readWords(found.value, folder) : found;
  };
  const words = await startedWith();
  const found = await start();
  const cwd = found.ok ? found.value.cwd : host.path(`${folder}/bin`);
  const libraries = found.ok ? variable(found.value, "LD_LIBRARY_PATH") : undefined;
  const env = libraries === undefined ? {} : { env: { LD_LIBRARY_PATH: libraries } };
  const program = () => programs.onDisk(file, () => binaryVersion(host, binary, { cwd, ...env }));
  const mode: Installation["mode"] = async () => {
    const [with_, from] = [await startedWith(), await start()];
    if (!with_.ok) return with_;
    if (!from.ok) return from;
    const { certs: _, dataRoot, ...rest } = with_.value;
    const user = await userName(host, from.value.uid);
    return succeed({ ...rest, dataRoot: hostPath(host, dataRoot), user });
  };
  const unitPath = unit === undefined ? undefined : await fragmentOf(host, unit);
  return {
    host,
    form: "compiled",
    folder,
    binary,
    ...(unit === undefined ? {} : { unit }),
    ...(unitPath === undefined ? {} : { unitPath }),
    start,
    mode,
    data: () => placeInMode(mode),
    stores: async () => {
      const state = await service();
      return state.ok ? storesOfProcess(host, state.value.mainPid) : state;
    },
    service,
    versionFile: async () => {
      const found = await program();
      return found.ok ? succeed({ basic: found.value.version, extended: null }) : found;
    },
    program,
    running: async (ownBuild) => {
      const state = await service();
      if (!state.ok) return state;
      const pid = runningOr(state.value.mainPid);
      if (!pid.ok) return pid;
      const read = await programs.read(host, pid.value);
      if (!read.ok) return read;
      const { version, ...program } = read.value;
      const build = version === undefined ? await ownBuild() : succeed(version);
      return build.ok ? succeed({ pid: pid.value, version: build.value, ...program }) : build;
    },
    hasClient: () => isThere(file),
    client: (mode, asked, at = `${mode.sqlHost ?? "127.0.0.1"}:${mode.sqlPort}`): ToolRequest => ({
      argv: [
        file,
        ...asked,
        ...securityWords(mode, (words.ok ? words.value.certs : undefined) ?? "certs"),
        `--host=${at}`,
      ],
      cwd,
      user: mode.user,
      ...env,
    }),
    order: (order) =>
      unit === undefined
        ? processOrder(host, { order, file, startedAs })
        : { argv: ["systemctl", order, unit] },
    leftOvers: async () => (await serversBelow(host.path(folder))).map(String),
    configuration: async () => {
      const from = await start();
      return from.ok ? succeed({ ...digestsOf(from.value), ...(await unitDigest(host, unit)) }) : from;
    },
    // so that a copy is never empty: without unit and certificates there is no file to save
    alsoSaved: async () => succeed({ "program.json": JSON.stringify({ folder, unit: unit ?? null }) }),
    worthSaving: await thoseThere(host, [
      unitPath,
      words.ok && words.value.certs !== undefined ? hostPath(host, words.value.certs) : undefined,
    ]),
  };
}

/** Refused where the agent's own file names no program: `kwdb.no-program`. */
export async function compiledOn(host: Host, means: Means): Promise<Outcome<Compiled>> {
  const { program } = means.settings;
  return program === undefined
    ? fail("kwdb.no-program", {})
    : succeed(await compiledInstallation(host, means, program));
}

async function processState(file: string): Promise<Outcome<ServiceState>> {
  const pids = await serversOfFile(file);
  if (pids.length > 1) return fail("kwdb.several-servers", { pids: pids.join(", "), file });
  const [mainPid = 0] = pids;
  const active = mainPid === 0 ? "inactive" : "active";
  return succeed({
    loaded: await isThere(file),
    active,
    sub: mainPid === 0 ? "dead" : "running",
    mainPid,
    supervisorPid: 0,
    needsReload: false,
  });
}

async function unitState(host: Host, unit: string): Promise<Outcome<ServiceState>> {
  const state = await readUnit(host, unit);
  return state.ok ? succeed({ ...state.value, supervisorPid: 0 }) : state;
}

/** Throws a FailureError where the start to be made was not kept. */
async function processOrder(
  host: Host,
  { order, file, startedAs }: { readonly order: Order; readonly file: string; readonly startedAs: string },
): Promise<ToolRequest> {
  if (order === "stop") return { argv: stopProcess(file) };
  const kept = await keptStart(host);
  if (!kept.ok) throw new FailureError(kept.failure);
  const argv = await startProcess(host, kept.value, { binary: file, unit: startedAs });
  return { argv: order === "start" ? argv : stopProcess(file, argv) };
}

/** A name where the host has one: the client is run as this user. */
async function userName(host: Host, uid: number): Promise<string> {
  const asked = await host.look(["id", "-nu", "--", String(uid)], { deadlineMs: lookMs });
  return asked.exitCode === 0 ? asked.stdout.trim() : String(uid);
}

/** What decides how it starts; of the environment, the names alone. */
function digestsOf(start: Start): Facts {
  const { argv, cwd, uid, gid, umask, limits } = start;
  return {
    "start/argv": sha256(JSON.stringify(argv.slice(1))),
    "start/place": sha256(JSON.stringify({ cwd, uid, gid, umask })),
    "start/limits": sha256(JSON.stringify(limits)),
    "start/environment-names": sha256(JSON.stringify(namesOf(start))),
  };
}

/** The unit with all that was dropped into it. */
async function unitDigest(host: Host, unit: string | undefined): Promise<Facts> {
  if (unit === undefined) return {};
  const shown = await host.look(["systemctl", "cat", unit], { deadlineMs: lookMs });
  return { [`unit/${unit}`]: shown.exitCode === 0 ? sha256(shown.stdout) : "unreadable" };
}

async function fragmentOf(host: Host, unit: string): Promise<string | undefined> {
  const argv = ["systemctl", "show", "-p", "FragmentPath", "--value", unit] as const;
  const shown = await host.look(argv, { deadlineMs: lookMs });
  const path = shown.stdout.trim();
  return shown.exitCode === 0 && path !== "" ? path : undefined;
}

async function thoseThere(host: Host, paths: readonly (string | undefined)[]): Promise<readonly string[]> {
  const named = paths.filter((path) => path !== undefined);
  const there = await Promise.all(named.map((path) => isThere(host.path(path))));
  return named.filter((_, at) => there[at]);
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
