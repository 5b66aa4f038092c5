/** What the command line may use of the process that it runs in: given by the composition root. */
import type { Clock } from "#proto/common/clock.ts";
import type { Caller } from "#proto/gen/lockkeeper/v1/control_pb.ts";
import type { Paint } from "./render/style.ts";

export type OutputFormat = "table" | "json" | "ndjson";

export interface Terminal {
  readonly clock: Clock;
  readonly caller: Caller;
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Data: stdout. */
  data(text: string): void;
  /** Messages and progress: stderr. */
  note(text: string): void;
  /** Lines that stand below the data and are drawn anew in place; nothing happens where that cannot be. */
  draw(lines: readonly string[]): void;
  /** stdout is a terminal that may be redrawn. */
  readonly redraws: boolean;
  /** What is being waited for, on stderr: in place on a terminal, once as a line elsewhere; none ends it. */
  progress(text: string | undefined): void;
  paint(wanted: boolean): Paint;
  readFile(path: string): Promise<string>;
  writeFile(path: string, text: string): Promise<void>;
  /** A line typed by a person; undefined when there is no terminal to ask at. Ctrl-C throws `cli.interrupted`. */
  ask(question: string): Promise<string | undefined>;
  /** The same, without showing what is typed. */
  askSecret(question: string): Promise<string | undefined>;
  /** Aborts at the first Ctrl-C or SIGTERM, which is then its reason: the command detaches, the rollout goes on. */
  readonly interrupted: AbortSignal;
}
