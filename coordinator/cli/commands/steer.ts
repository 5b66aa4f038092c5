import type { Command } from "@commander-js/extra-typings";
import { Steering } from "#proto/gen/lockkeeper/v1/control_pb.ts";
import { command } from "../command.ts";
import { exitCodes } from "../exit-code.ts";
import { follow, viewOf } from "../follow.ts";
import { run, type Shell } from "../run.ts";
import { collect, toWords } from "../words.ts";

/** pause, resume, abort, approve, retry, skip: orders to a rollout, each recorded with who gave it. */
export function steerCommands(shell: Shell): readonly Command[] {
  return [
    order(shell, {
      name: "pause",
      steering: Steering.PAUSE,
      summary: "Start no further node; the one in work runs to its end",
      examples: ["pause billing", 'pause billing --reason "dinner"'],
    }),
    order(shell, {
      name: "resume",
      steering: Steering.RESUME,
      summary: "Go on after a pause or a stop that was mended",
      follows: true,
    }),
    order(shell, {
      name: "abort",
      steering: Steering.ABORT,
      summary: "Stop at the next safe boundary and undo what is reversible",
      follows: true,
    }),
    order(shell, {
      name: "approve",
      steering: Steering.APPROVE,
      summary: "Say yes to what the rollout waits for",
      follows: true,
    }),
    order(shell, {
      name: "retry",
      steering: Steering.RETRY,
      summary: "Try the failed node again, from what is true on it now",
      examples: [
        "retry billing -n db2",
        'retry billing -n db2 --ack kwdb.old-package --reason "it is on the USB stick"',
      ],
      follows: true,
    }),
    skip(shell),
  ] as readonly unknown[] as readonly Command[];
}

interface Order {
  readonly name: string;
  readonly steering: Steering;
  readonly summary: string;
  readonly examples?: readonly string[];
  readonly follows?: boolean;
}

function order(shell: Shell, { name, steering, summary, examples, follows = false }: Order) {
  return command(name, summary, { examples: examples ?? [`${name} billing`] })
    .argument("<rollout|cluster>")
    .option("-n, --node <node>", "the node it is about, where there are several", "")
    .option("--ack <check>", "your word for what cannot be measured; repeatable", collect, [])
    .option("--override <check>", "your word against what was measured; repeatable", collect, [])
    .option("--reason <text>", "why; stands in the audit log", collect, [])
    .option("--until <time>", "when the words end: 2h, or an RFC 3339 instant")
    .option("--detach", "do not follow the rollout", false)
    .action((rollout, options) =>
      run(shell, options, async (session) => {
        const words = toWords(options, session.terminal.clock.now());
        const reason = options.reason.join("; ");
        const before = await viewOf(session, rollout);
        await session.call((client) =>
          client.steer({
            caller: session.terminal.caller,
            rollout: before.id,
            steering,
            node: options.node,
            reason,
            ...words,
          }),
        );
        session.terminal.note(`${name}: asked`);
        return follows && !options.detach
          ? follow(session, before.id, { since: before.lastSequence })
          : exitCodes.done;
      }),
    );
}

function skip(shell: Shell) {
  return command("skip", "Leave a node at its version; refused where mixed versions may not serve", {
    examples: ['skip billing -n db3 --reason "its disk is being replaced"'],
  })
    .argument("<rollout|cluster>")
    .requiredOption("-n, --node <node>", "the node to leave out")
    .requiredOption("--reason <text>", "why; stands in the audit log")
    .option("--detach", "do not follow the rollout", false)
    .action((rollout, options) =>
      run(shell, options, async (session) => {
        const { node, reason } = options;
        const before = await viewOf(session, rollout);
        await session.call((client) =>
          client.steer({
            caller: session.terminal.caller,
            rollout: before.id,
            steering: Steering.SKIP,
            node,
            reason,
            acknowledgements: [],
            overrides: [],
          }),
        );
        session.terminal.note(`${node} stays at its version`);
        return options.detach ? exitCodes.done : follow(session, before.id, { since: before.lastSequence });
      }),
    );
}
