/** Builds an agent out of its parts. Everything with an effect comes in from the program that calls this. */
import { join } from "node:path";
import type { Clock, Random } from "#proto/common/clock.ts";
import { contract } from "#proto/common/contract.ts";
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Log } from "#proto/common/log.ts";
import { Agent } from "./agent.ts";
import type { AgentConfig } from "./config.ts";
import { mayDial } from "./config.ts";
import { Health } from "./health.ts";
import { artefactSource } from "./host/artefact-source.ts";
import { Artefacts } from "./host/artefacts.ts";
import { HostFactsReader } from "./host/facts.ts";
import { makeFolderDurably } from "./host/file-runner.ts";
import { GroupRunner } from "./host/group-runner.ts";
import { type AsUser, localHost } from "./host/local-host.ts";
import { parcelPost } from "./host/parcel-post.ts";
import { discardParcels, parcelsOf } from "./host/parcels.ts";
import type { ToolRunner } from "./host/tool-runner.ts";
import { UnitRunner, whyNoUnits } from "./host/unit-runner.ts";
import type { DeedTools } from "./program/deed-context.ts";
import type { Disk } from "./program/disk.ts";
import { Ledger } from "./program/ledger.ts";
import { LockSide } from "./program/lock-side.ts";
import type { Timekeeper } from "./program/moment.ts";
import { Runner } from "./program/runner.ts";
import { Tools } from "./program/tools.ts";
import { Undoer } from "./program/undo.ts";
import { vocabularyOf } from "./program/vocabulary.ts";
import { Watches } from "./program/watches.ts";
import { Session } from "./session.ts";
import type { AgentEngine, EngineKind, Host } from "./verb.ts";

export interface World {
  readonly clock: Clock;
  readonly random: Random;
  readonly bootId: string;
  readonly uptimeMs: () => number;
  readonly log: Log;
  readonly version: string;
  readonly makeStateId: () => string;
  /** Given to every child, PATH included. */
  readonly env: Readonly<Record<string, string>>;
  readonly asUser: AsUser;
  readonly kinds: readonly EngineKind[];
  readonly disk: Disk;
  readonly onFatal: (error: unknown) => void;
}

export interface RunningAgent {
  readonly runner: "unit" | "group";
  /** Until the signal aborts: Goodbye is said, the journal closed. */
  run(signal: AbortSignal): Promise<void>;
}

export function journalPath(stateDir: string): string {
  return join(stateDir, "journal");
}

interface Rooms {
  readonly config: AgentConfig;
  readonly world: World;
  readonly time: Timekeeper;
  readonly host: Host;
  readonly engine: AgentEngine;
  readonly ledger: Ledger;
  readonly leaving: AbortController;
}

export async function composeAgent(config: AgentConfig, world: World): Promise<Outcome<RunningAgent>> {
  const { clock, bootId, uptimeMs, makeStateId, log, disk } = world;
  const kind = world.kinds.find(({ engine }) => engine === config.engine.kind);
  if (kind === undefined) return fail("agent.engine-unknown", { engine: config.engine.kind });
  await makeFolderDurably(config.stateDir);
  const opened = await Ledger.open({ disk, path: journalPath(config.stateDir), clock, makeStateId });
  if (!opened.ok) return opened;
  const { ledger, cutBytes } = opened.value;
  if (cutBytes > 0) log.warn({ bytes: cutBytes }, "journal: cut off a torn last line");
  await ledger.append({ kind: "awoke", bootId, version: world.version });
  const env = { ...world.env, PATH: [...config.path, world.env["PATH"] ?? ""].join(":") };
  const { hostRoot, stateDir } = config;
  const host = localHost({ hostRoot, stateDir, clock, env, asUser: world.asUser });
  const time = { clock, bootId, uptimeMs };
  const engine = kind.create(config.engine.settings);
  const rooms: Rooms = {
    config,
    world: { ...world, env },
    time,
    host,
    engine,
    ledger,
    leaving: new AbortController(),
  };
  const runners = await chooseRunner(rooms);
  return runners.ok ? succeed(assemble(rooms, runners.value)) : runners;
}

interface Runners {
  readonly preferred: ToolRunner;
  readonly all: readonly ToolRunner[];
}

async function chooseRunner({ config, world, host }: Rooms): Promise<Outcome<Runners>> {
  const folder = join(config.stateDir, "tools");
  await makeFolderDurably(folder);
  const { clock, bootId, env, asUser } = world;
  const run = (argv: readonly [string, ...string[]], deadlineMs: number) => host.look(argv, { deadlineMs });
  const unit = new UnitRunner({ folder, bootId, run, env });
  const group = new GroupRunner({ folder, clock, bootId, env, asUser });
  const all = [unit, group];
  if (config.runner === "group") return succeed({ preferred: group, all });
  // A demo host has no systemd of its own; that of the machine is not its to use.
  const why = config.hostRoot === "/" ? await whyNoUnits(run) : "the host root is a folder";
  if (why === undefined) return succeed({ preferred: unit, all });
  if (config.runner === "unit") return fail("agent.no-units", { cause: why });
  world.log.warn({ why }, "steps run in process groups, not in units");
  return succeed({ preferred: group, all });
}

function assemble(rooms: Rooms, runners: Runners): RunningAgent {
  const { config, world, time, host, engine, ledger, leaving } = rooms;
  const { clock, random, log, bootId, onFatal } = world;
  const session: Session = new Session({
    coordinators: config.coordinators,
    mayDial: (address) => mayDial(config, address),
    clock,
    random,
    log,
    hello: () => agent.hello(),
    receive: (message) => agent.receive(message),
    nextEvent: (sequence) => ledger.nextEvent(sequence),
    onAppend: (listener) => ledger.onAppend(listener),
    welcomed: ({ beatMs }) => {
      health.beatEvery(beatMs);
      health.greet();
      lock.lookAgain();
    },
  });
  const { send } = session;
  const artefacts = new Artefacts({
    folder: join(config.stateDir, "artefacts"),
    clock,
    bytesPerSecond: config.artefactBytesPerSecond,
    source: artefactSource(() => session.address),
  });
  const parcels = {
    folder: join(config.stateDir, "parcels"),
    clock,
    bytesPerSecond: config.artefactBytesPerSecond,
    post: parcelPost(() => session.address, clock),
  };
  const tools = new Tools({ ledger, time, preferred: runners.preferred, runners: runners.all });
  const deeds: DeedTools = {
    vocabulary: vocabularyOf(engine.verbs),
    host,
    tools,
    time,
    fetchArtefact: (digest, signal) => artefacts.fetch(digest, signal),
    parcels: (rollout, signal) => parcelsOf(parcels, rollout, signal),
    leaving: leaving.signal,
  };
  const lock = new LockSide({ ledger, clock, send, attached: () => session.address !== undefined });
  const undoer = new Undoer({ ledger, deeds, lock, onError: onFatal });
  const runner = new Runner({ ledger, deeds, lock, undoer });
  const watches = new Watches({ ledger, deeds, onError: onFatal });
  const facts = new HostFactsReader({ host, bootId, agentVersion: world.version });
  const health = new Health({
    node: config.node,
    engine,
    host,
    stateDir: config.stateDir,
    facts,
    clock,
    random,
    send,
  });
  const self = {
    node: config.node,
    agentVersion: world.version,
    contract: contract.current,
    bootId,
    engine: engine.engine,
  };
  const agent = new Agent({
    self,
    ledger,
    deeds,
    lock,
    runner,
    undoer,
    watches,
    send,
    takeHealth: health.take,
    discardParcels: (rollout) => discardParcels(parcels, rollout),
    onFatal,
  });
  return {
    runner: runners.preferred.kind,
    run: async (signal) => {
      signal.addEventListener("abort", () => leaving.abort(), { once: true });
      await agent.wake();
      await Promise.all([session.run(signal), health.beat(signal)]);
      await ledger.close();
    },
  };
}
