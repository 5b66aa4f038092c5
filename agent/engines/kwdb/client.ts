/**
 * The database's own client, used as the vendor's scripts use it: from its bin folder, as the user of the MODE
 * file, always with --format=csv and with our own deadline (its --timeout has no effect, and a node that listens
 * but does not serve costs 15 s).
 */
import { type Outcome, succeed } from "#proto/common/failure.ts";
import type { Mode } from "#proto/engines/kwdb.ts";
import type { Host, Look, ToolRequest } from "../../verb.ts";
import { type Question, type Row, readAnswers } from "./answers.ts";
import { readText } from "./files.ts";
import { parseMode } from "./mode.ts";
import { paths } from "./paths.ts";

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

export async function readMode(host: Host): Promise<Outcome<Mode>> {
  const text = await readText(host, paths.mode);
  return text.ok ? parseMode(text.value) : text;
}

export async function openClient(host: Host): Promise<Outcome<Client>> {
  const mode = await readMode(host);
  if (!mode.ok) return mode;
  const { sqlPort, user } = mode.value;
  const command: Client["command"] = (words, at = `127.0.0.1:${sqlPort}`) => ({
    argv: [host.path(paths.binary), ...words, ...securityWords(host, mode.value), `--host=${at}`],
    cwd: host.path(paths.bin),
    user,
  });
  const run: Client["run"] = (words, { at, deadlineMs = askMs } = {}) => {
    const { argv, ...how } = command(words, at);
    return host.look(argv, { deadlineMs, ...how });
  };
  const ask: Client["ask"] = async (questions, options) => {
    const words = questions.flatMap(({ sql }) => ["-e", sql]);
    return readAnswers(await run(["sql", ...words, "--format=csv"], options), questions);
  };
  return succeed({ mode: mode.value, command, run, ask });
}

function securityWords(host: Host, { security }: Mode): readonly string[] {
  const certs = `--certs-dir=${host.path(paths.certs)}`;
  switch (security) {
    case "insecure":
      return ["--insecure"];
    case "tls":
      return [certs];
    case "tlcp":
      return [certs, "--tlcp"];
  }
}
