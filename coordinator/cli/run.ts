/** Turns a command's body into an action: opens the session, runs it, and ends with its exit code. */
import { type Failure, FailureError, failure } from "#proto/common/failure.ts";
import { nearest } from "#proto/common/nearest.ts";
import type { FleetView } from "../domain/views.ts";
import { type CommonOptions, explainFailure, failureOf, openSession, read, type Session } from "./command.ts";
import type { ExitCode } from "./exit-code.ts";
import type { Terminal } from "./terminal.ts";

/** What the composition root gives to the program. */
export interface Shell {
  readonly terminal: Terminal;
  /** Sets the code that the process ends with. */
  exit(code: ExitCode): void;
}

/** Arguments come before options in commander's action; here the session comes first. */
export async function run<Options extends CommonOptions>(
  shell: Shell,
  options: Options,
  body: (session: Session) => Promise<ExitCode>,
): Promise<void> {
  const session = openSession(shell.terminal, options);
  try {
    shell.exit(await orDetached(shell.terminal, body(session)));
  } catch (error) {
    const cause = await withNearest(session, failureOf(error));
    shell.exit(explainFailure(shell.terminal, options.output, cause));
  }
}

const detachLimitMs = 1_000;

/** At Ctrl-C or SIGTERM the body may end with its own words; one that waits on is left. Throws FailureError: `cli.detached`. */
async function orDetached<T>({ clock, interrupted }: Terminal, work: Promise<T>): Promise<T> {
  const ended = new AbortController();
  const left = new Promise<never>((_, reject) => {
    const leave = () => reject(new FailureError(failure("cli.detached")));
    const count = () => {
      const cancel = clock.after(detachLimitMs, leave);
      ended.signal.addEventListener("abort", cancel, { once: true });
    };
    if (interrupted.aborted) count();
    else interrupted.addEventListener("abort", count, { once: true, signal: ended.signal });
  });
  try {
    return await Promise.race([work, left]);
  } finally {
    ended.abort();
  }
}

/** Where a name is not known, the known one that was probably meant. Nothing is added where that cannot be asked. */
async function withNearest(session: Session, cause: Failure): Promise<Failure> {
  const typed = cause.facts["cluster"] ?? cause.facts["node"] ?? cause.facts["name"] ?? "";
  if (!/^(cluster|node|rollout)\.unknown$/.test(cause.code) || typed === "") return cause;
  const clusters = await session
    .call((client) => client.getFleet({ cluster: "" }))
    .then(({ fleet }) => read<FleetView>(fleet, "fleet").clusters)
    .catch(() => []);
  const nodes = clusters.flatMap((cluster) => cluster.nodes.map(({ name }) => name));
  const names = clusters.map(({ name }) => name);
  const known = { "cluster.unknown": names, "node.unknown": nodes }[cause.code as string] ?? [
    ...names,
    ...nodes,
  ];
  const near = nearest(typed, known);
  return near === undefined ? cause : { ...cause, facts: { ...cause.facts, near } };
}
