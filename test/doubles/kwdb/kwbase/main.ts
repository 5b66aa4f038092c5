/** The stand-in's `kwbase`: which command, and the exit code. 0 or 1, as the real one has it. */
import { CliError, renderError } from "./cli-error.ts";
import { decommission, drain, init, ls, quit, sql, status, upgrade } from "./client.ts";
import { start, versionText } from "./start.ts";

type Command = (argv: readonly string[]) => Promise<void>;

const version: Command = async () => {
  process.stdout.write(versionText);
};

const commands: Readonly<Record<string, Command>> = {
  version,
  init,
  quit,
  sql,
  start: (argv) => start("start", argv),
  "start-single-replica": (argv) => start("start-single-replica", argv),
  "start-single-node": (argv) => start("start-single-node", argv),
  "node status": status,
  "node drain": drain,
  "node upgrade": upgrade,
  "node ls": ls,
  "node decommission": decommission,
};

async function main(): Promise<void> {
  const [, , ...words] = process.argv;
  const path = words[0] === "node" ? words.slice(0, 2).join(" ") : (words[0] ?? "");
  const run = commands[path];
  try {
    if (run === undefined) throw new CliError(`unknown command "${path}" for "kwbase"`);
    await run(words.slice(path.split(" ").length));
  } catch (error) {
    process.stderr.write(renderError(error, run === undefined ? "kwbase" : path));
    process.exitCode = 1;
    if (path.startsWith("start")) process.exit(1);
  }
}

void main();
