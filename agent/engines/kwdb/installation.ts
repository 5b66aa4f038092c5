/**
 * How KWDB is installed on a host, and what differs by it: a value with functions. Which form a host has follows from
 * the agent's own file and from the installer's MODE file; no message can choose it. Verbs and facts ask it, and not
 * the unit, the binary or the version file themselves.
 */
import { type Facts, fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Container, DockerEngine, Form, Mode } from "#proto/engines/kwdb.ts";
import type { Host, ToolRequest } from "../../verb.ts";
import type { ImageVersions } from "./images.ts";
import type { ProgramCache, RunningProgram } from "./program-cache.ts";
import type { KwdbSettings } from "./settings.ts";
import type { UnitState } from "./unit.ts";

/** What an engine is made with: the agent's own file, and what was read once. */
export interface Means {
  readonly settings: KwdbSettings;
  readonly programs: ProgramCache;
  readonly images: ImageVersions;
}

export interface ServiceState extends UnitState {
  /** What starts and keeps the database where that is a process of its own (docker-compose); 0 where there is none. */
  readonly supervisorPid: number;
}

export interface Program {
  readonly version: string;
  readonly sha256: string;
}

export type Running = Required<RunningProgram> & { readonly pid: number };

export interface DataPlace {
  /** As a path of the host. */
  readonly root: string;
  /** The engine's volume that it is in; absent where it is a folder of the host. */
  readonly volume?: string;
}

/** Where what stands in MODE's place tells it. */
export async function placeInMode(mode: Installation["mode"]): Promise<Outcome<DataPlace>> {
  const found = await mode();
  return found.ok ? succeed({ root: found.value.dataRoot }) : found;
}

/** On the host, or where nothing of the host is mounted. */
export type CertificatesPlace = { readonly onHost: string } | { readonly notSeen: string };

export type Order = "start" | "stop" | "restart";

export interface Installation {
  readonly host: Host;
  readonly form: Form;
  /** The unit that starts the database; absent where none does. */
  readonly unit?: string;
  /** Its file, where that is not the installer's. */
  readonly unitPath?: string;
  /** What a MODE file tells, from it or from what stands in its place. `dataRoot` is a path of the host. */
  mode(): Promise<Outcome<Mode>>;
  /** Where the data lies, told also while the folder itself is away. */
  data(): Promise<Outcome<DataPlace>>;
  /** Where the database that runs was told to keep its data, as paths of the host; none where nothing runs. */
  stores(): Promise<Outcome<readonly string[]>>;
  /** `mainPid` is the database's own process, 0 when it is not running. */
  service(): Promise<Outcome<ServiceState>>;
  versionFile(): Promise<Outcome<{ readonly basic: string; readonly extended: string | null }>>;
  /** What would be started now: the binary on disk, or the image. */
  program(): Promise<Outcome<Program>>;
  /** What runs; `ownBuild` is the build of the node's own row, asked only where the process does not tell. */
  running(ownBuild: () => Promise<Outcome<string>>): Promise<Outcome<Running>>;
  /** Whether the database's own client can be run at all. */
  hasClient(): Promise<boolean>;
  /** The whole command for words of ours; `at` is another node's `host:port`. */
  client(mode: Mode, words: readonly string[], at?: string): ToolRequest;
  order(order: Order): ToolRequest | Promise<ToolRequest>;
  /** What of the database is left when it should be stopped, beside the process that `service` tells. */
  leftOvers(): Promise<readonly string[]>;
  /** sha256 of each file that decides how it starts, by path; `absent` where there is none. */
  configuration(): Promise<Outcome<Record<string, string>>>;
  /** The container that it is, running or not; absent where it is none. */
  container?(): Promise<Outcome<Container>>;
  /** Why the container does not run: `container`, `status`, `exitCode`, `cause`; undefined where it runs, or is not there. */
  end?(): Promise<Facts | undefined>;
  /** The engine that the container lives in. */
  engine?(): Promise<Outcome<DockerEngine>>;
  /** What is saved beside those, by file name. */
  alsoSaved?(): Promise<Outcome<Record<string, string>>>;
  /** In which an online upgrade leaves its flag; the environment file where it is absent. */
  readonly flagFiles?: readonly string[];
  /** Certificates that are the operator's own, mounted: saved with it, and never put back unasked. */
  certificates?(): Promise<Outcome<CertificatesPlace | undefined>>;
  /** What a reinstallation would wipe, as paths of the host. */
  readonly worthSaving: readonly string[];
}

/** Neither the database nor what would start it again. */
export function isDown({ mainPid, supervisorPid }: ServiceState): boolean {
  return mainPid === 0 && supervisorPid === 0;
}

export function runningOr(pid: number): Outcome<number> {
  return pid === 0 ? fail("kwdb.not-running", {}) : succeed(pid);
}
