/**
 * What a step's tool is run by: something that outlives the agent and keeps the exit status until it was read.
 * Implementations: unit-runner.ts (systemd) and group-runner.ts (own process group with a status file).
 */
import type { GroupMark } from "../program/entry.ts";

export interface ToolOrder {
  /** Unique per tool, a valid unit name without its suffix: the second guard against a second start. */
  readonly name: string;
  readonly argv: readonly [string, ...string[]];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly user?: string;
  /** For deadlines that end the tool: a limit that holds even while the agent is dead. */
  readonly limitMs?: number;
}

/** How a tool that was intended is found again. */
export interface ToolTrace {
  readonly name: string;
  /** The boot in which it was intended. */
  readonly bootId: string;
  readonly mark?: GroupMark;
}

/** `never`: proven not to have begun. `lost`: it may have run and nobody can say how it ended. */
export type ToolState =
  | { readonly state: "never" }
  | { readonly state: "running" }
  | {
      readonly state: "ended";
      readonly exitCode: number | undefined;
      readonly result: "exited" | "killed" | "deadline";
    }
  | { readonly state: "lost" };

export interface ToolRunner {
  readonly kind: "unit" | "group";
  /** Starts it, with both outputs going to one file. `marked` is awaited before the tool itself begins. */
  start(
    order: ToolOrder,
    marked: (mark: GroupMark) => Promise<void>,
  ): Promise<{ readonly started: true } | { readonly refused: string }>;
  look(trace: ToolTrace): Promise<ToolState>;
  /** Ends it with everything it has started. */
  end(trace: ToolTrace): Promise<void>;
  /** After its result was journalled: ends what outlived it and forgets it. */
  release(trace: ToolTrace): Promise<void>;
  /** Throws away what is kept of a released tool: its output and its status. */
  discard(name: string): Promise<void>;
  /** The last bytes of its output, as far as it is. */
  tail(name: string): Promise<string>;
}
