/**
 * The vocabulary of an agent. A verb is the only thing a message can make an agent do; its arguments are
 * parsed by its own schema, and anything else is refused. Verbs of an engine live in agent/engines/<engine>.
 */
import type { z } from "zod";
import type { Clock } from "#proto/common/clock.ts";
import type { Facts, Failure, Outcome } from "#proto/common/failure.ts";

/** A short, read-only look at the host: own process group, deadline, bounded output. Never throws on a bad exit. */
export interface Look {
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  readonly timedOut: boolean;
  readonly stdout: string;
  readonly stderr: string;
  /** Set when the program could not be started at all. */
  readonly spawnError?: string;
}

/** A tool of the host run as a step: transient unit, or process group with a status file where there is no systemd. */
export interface ToolRun {
  readonly exitCode: number | undefined;
  readonly result: "exited" | "killed" | "deadline" | "lost";
  readonly tail: string;
  /** Unit name or group id, for the journal. */
  readonly runner: string;
}

export interface ToolRequest {
  readonly argv: readonly [string, ...string[]];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly user?: string;
}

/** What a verb may use of its host. Paths are the host's own; a demo's host root is applied here, nowhere else. */
export interface Host {
  /** Maps a path of the host into the file system the agent sees (identity on a real host). */
  path(hostPath: string): string;
  look(
    argv: readonly [string, ...string[]],
    options: {
      readonly deadlineMs: number;
      readonly env?: Readonly<Record<string, string>>;
      readonly cwd?: string;
      readonly user?: string;
    },
  ): Promise<Look>;
  readonly clock: Clock;
  /** The agent's own folder: staging, kept packages, saved configuration. */
  readonly stateDir: string;
}

/**
 * The most that earlier tries of this stage have begun on this node and not undone again, by this agent's own journal:
 * a node that is tried again may be down, or changed, by our own deed.
 */
export type BegunBefore = "nothing" | "reversible" | "irreversible";

/** Files of this rollout that another node makes, or is given, over the coordinator. */
export interface Parcels {
  /** Where fetched files lie until they are moved to their place: the agent's own folder. */
  readonly folder: string;
  /** Gives a file to the coordinator under a name; resolves with its sha256. Tries again until the step's deadline, or `until`. */
  send(name: string, path: string, until?: AbortSignal): Promise<Outcome<string>>;
  /** What was sent under a name; undefined where nothing was. The same limits. */
  find(name: string, until?: AbortSignal): Promise<Outcome<{ readonly digest: string } | undefined>>;
  /** Fetches by digest into `folder`; resumable, rate-limited, digest proven. Resolves with the file's path. */
  fetch(digest: string): Promise<Outcome<string>>;
}

export interface StepContext {
  readonly host: Host;
  /** Aborts at the step's deadline (on_deadline END) or when the agent shuts down. */
  readonly signal: AbortSignal;
  readonly deadlineMs: number;
  /**
   * Starts a tool of the step, at most once per attempt: journal first, then unit or group. After a restart of
   * the agent `run` is called again from its top and this re-attaches to what was started (the n-th call meets
   * the n-th tool), so what `run` does before and between its tools must be safe to do twice.
   * Deadline, OBSERVE and shutdown are dealt with by the agent; the promise may then never settle.
   */
  tool(request: ToolRequest): Promise<ToolRun>;
  /** Tells the coordinator how far it is; bounded rate. */
  progress(facts: Facts): void;
  readonly rollout: string;
  /** Its name on the wire. */
  readonly stage: string;
  /** Which try of the stage this is, from 1. An earlier one may have ended before it came to this node. */
  readonly attempt: number;
  readonly begunBefore: BegunBefore;
  /** Outputs of earlier steps of this program, by step id. */
  readonly earlier: Readonly<Record<string, Facts>>;
  /** Fetches an artefact by digest into the agent's own folder; resumable, rate-limited, digest proven. */
  fetchArtefact(digest: string): Promise<{ readonly path: string } | { readonly failure: Failure }>;
  readonly parcels: Parcels;
}

export type StepResult =
  /** An output named `not-seen.<what>` is told at the rollout's end as not yet seen, one named `told.<what>` as it is. */
  | { readonly result: "done"; readonly outputs: Facts; readonly tail?: string }
  | { readonly result: "failed"; readonly failure: Failure; readonly outputs?: Facts; readonly tail?: string }
  /** What happened cannot be known from here. */
  | { readonly result: "unknown"; readonly failure: Failure; readonly tail?: string };

/** What the world says of a step: asked before each first start, and the only judge after a crash. Never starts a tool. */
export type Probe =
  | { readonly state: "done"; readonly outputs: Facts }
  | { readonly state: "not-done" }
  | { readonly state: "unknown"; readonly failure: Failure };

export interface Verb<Args = unknown> {
  readonly name: string;
  /** The class that a step of this verb must carry at least; a message cannot call a change an observation. */
  readonly class: "observe" | "reversible" | "irreversible";
  readonly args: z.ZodType<Args>;
  run(context: StepContext, args: Args): Promise<StepResult>;
  /** Required for every verb that changes something; an observe verb is simply run again. */
  readonly probe?: (context: StepContext, args: Args) => Promise<Probe>;
}

/** Keeps the argument type between schema, run and probe, then forgets it for the registry. */
export function verb<Args>(definition: Verb<Args>): Verb {
  return definition as unknown as Verb;
}

export type Depth = "pulse" | "gate" | "full";

/** One engine at the agent: its verbs, and its facts at three depths. */
export interface AgentEngine {
  readonly engine: string;
  readonly verbs: readonly Verb[];
  /** Folders whose space matters, as paths of the host. */
  folders(host: Host): Promise<readonly string[]>;
  /** The engine's part of the report; never throws, every value is Measured. */
  facts(host: Host, depth: Depth, signal: AbortSignal): Promise<unknown>;
}

/** How an engine is built at the composition root: from its own section of the agent's file, which no message can widen. */
export interface EngineKind<Settings = unknown> {
  readonly engine: string;
  /** Schema of the section `engine.settings`; strict, with defaults where a host needs none. */
  readonly settings: z.ZodType<Settings>;
  create(settings: Settings): AgentEngine;
}

/** Keeps the settings' type between schema and create, then forgets it for the list of kinds. */
export function engineKind<Settings>(kind: EngineKind<Settings>): EngineKind {
  return kind as unknown as EngineKind;
}
