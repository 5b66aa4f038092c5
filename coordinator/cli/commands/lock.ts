import { Command } from "@commander-js/extra-typings";
import { FailureError, failure } from "#proto/common/failure.ts";
import type { LockView } from "../../domain/views.ts";
import { command, read, type Session } from "../command.ts";
import { exitCodes } from "../exit-code.ts";
import { renderLock, renderLockList } from "../render/lock.ts";
import { run, type Shell } from "../run.ts";

/** What a person types to say that a silent host is off or cut from its peers. */
const breakWord = "the host is off";

export function lockCommand(shell: Shell): Command {
  const group = new Command("lock").description("What may be touched now, and who holds it");
  group.addCommand(
    command("list", "All locks", { examples: ["lock list", "lock list -o json"] }).action((options) =>
      run(shell, options, async (session) => {
        session.show(await locksOf(session, ""), (locks) =>
          renderLockList(locks, session.terminal.clock.now()),
        );
        return exitCodes.done;
      }),
    ),
  );
  group.addCommand(
    command("show", "One lock: holder, step, since when, last word, and the command that would move it", {
      examples: ["lock show billing"],
    })
      .argument("<cluster>")
      .action((cluster, options) =>
        run(shell, options, async (session) => {
          const [lock] = await locksOf(session, cluster);
          if (lock === undefined) throw new FailureError(failure("cluster.unknown", { cluster }));
          session.show(lock, (it) => renderLock(it, session.terminal.clock.now(), session.paint));
          return exitCodes.done;
        }),
      ),
  );
  group.addCommand(
    command("break", "Take an entered lock from its node; the last resort", {
      examples: [
        'lock break billing --reason "db2 burnt down"',
        'lock break billing --reason "db2 is switched off, seen in the rack" --host-is-off',
      ],
    })
      .argument("<cluster>")
      .requiredOption("--reason <text>", "why; stands in every later plan until the node is proven")
      .option("--host-is-off", "you have seen that the host is off or cut from its peers", false)
      .action((cluster, options) => run(shell, options, (session) => breakLock(session, cluster, options))),
  );
  return group as unknown as Command;
}

async function locksOf(session: Session, cluster: string): Promise<readonly LockView[]> {
  const { locks } = await session.call((client) => client.listLocks({ cluster }));
  return locks.map((lock) => read<LockView>(lock, "lock"));
}

async function breakLock(
  session: Session,
  cluster: string,
  { reason, hostIsOff }: { readonly reason: string; readonly hostIsOff: boolean },
) {
  const ask = (word: string) =>
    session.call((client) => client.breakLock({ caller: session.terminal.caller, cluster, reason, word }));
  const answer = await ask(hostIsOff ? breakWord : "").catch(async (error: unknown) => {
    if (!(error instanceof FailureError) || error.failure.code !== "lock.break-needs-word") throw error;
    const nodes = error.failure.facts["nodes"] ?? "";
    const typed = await session.terminal.ask(
      `${nodes} does not answer. Type "${breakWord}" if you have seen that it is off or cut from its peers: `,
    );
    if (typed?.trim() !== breakWord) throw error;
    return ask(breakWord);
  });
  session.show(read<LockView>(answer.lock, "lock"), (lock) =>
    renderLock(lock, session.terminal.clock.now(), session.paint),
  );
  return exitCodes.done;
}
