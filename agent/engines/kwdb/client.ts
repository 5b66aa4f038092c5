/**
 * The database's own client, used as the vendor's scripts use it: from its bin folder, as the user of the MODE
 * file, always with --format=csv and with our own deadline (its --timeout has no effect, and a node that listens
 * but does not serve costs 15 s).
 */
import { type Outcome, succeed } from "#proto/common/failure.ts";
import type { Mode } from "#proto/engines/kwdb.ts";
import type { Look, ToolRequest } from "../../verb.ts";
import { type Question, type Row, readAnswers } from "./answers.ts";
import type { Installation } from "./installation.ts";

export interface AskOptions {
  /** Another node's `host:port`; this node when absent. */
  readonly at?: string | undefined;
  readonly deadlineMs?: number | undefined;
}

export interface Client {
  readonly mode: Mode;
  /** The whole command for words of ours, as a step's tool. */
  command(words: readonly string[], at?: string): ToolRequest;
  run(words: readonly string[], options?: AskOptions): Promise<Look>;
  /** Asks in order, in one run: after the first that fails the rest is not answered. */
  ask(questions: readonly Question[], options?: AskOptions): Promise<readonly Outcome<readonly Row[]>[]>;
}

const askMs = 20_000;

export async function openClient(here: Installation): Promise<Outcome<Client>> {
  const mode = await here.mode();
  if (!mode.ok) return mode;
  const command: Client["command"] = (words, at) => here.client(mode.value, words, at);
  const run: Client["run"] = (words, { at, deadlineMs = askMs } = {}) => {
    const { argv, ...how } = command(words, at);
    return here.host.look(argv, { deadlineMs, ...how });
  };
  const ask: Client["ask"] = async (questions, options) => {
    const words = questions.flatMap(({ sql }) => ["-e", sql]);
    return readAnswers(await run(["sql", ...words, "--format=csv"], options), questions);
  };
  return succeed({ mode: mode.value, command, run, ask });
}
