import { type Command, Option } from "@commander-js/extra-typings";
import { render } from "#proto/catalogue/render.ts";
import { FailureError, failure } from "#proto/common/failure.ts";
import { Steering } from "#proto/gen/lockkeeper/v1/control_pb.ts";
import type { RolloutView } from "../../domain/views.ts";
import { command, type Session } from "../command.ts";
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
  const takesWords = steering === Steering.RESUME || steering === Steering.RETRY;
  // read all the same: who gives a word with another order is told where it belongs
  const end = <Flags extends string>(flags: Flags, what: string) =>
    new Option(flags, what).hideHelp(!takesWords);
  const word = <Flags extends string>(flags: Flags, what: string) =>
    end(flags, what).default<string[]>([]).argParser<string[]>(collect);
  return command(name, summary, { examples: examples ?? [`${name} billing`] })
    .argument("<rollout|cluster>")
    .option("-n, --node <node>", "the node it is about, where there are several", "")
    .addOption(word("--ack <check>", "your word for what cannot be measured; repeatable"))
    .addOption(word("--override <check>", "your word against what was measured; repeatable"))
    .option("--reason <text>", "why; stands in the audit log", collect, [])
    .addOption(end("--until <time>", "when the words end: 2h, or an RFC 3339 instant"))
    .option("--detach", "do not follow the rollout", false)
    .addOption(new Option("-y, --yes", "do not ask").default(false).hideHelp(steering !== Steering.ABORT))
    .action((rollout, options) =>
      run(shell, options, async (session) => {
        const words = toWords(options, session.terminal.clock.now());
        const reason = options.reason.join("; ");
        const before = await viewOf(session, rollout);
        if (steering === Steering.ABORT && !options.yes) await askBeforeGivingUp(session, before);
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
        const isFollowed = follows && !options.detach;
        session.terminal.note(`${name}: asked${isFollowed ? "; Ctrl-C detaches, and stops nothing" : ""}`);
        return isFollowed ? follow(session, before.id, { since: before.lastSequence }) : exitCodes.done;
      }),
    );
}

/** An abort that leaves the clusters unwatched is no repetition of the one before; without a terminal nobody is asked. */
async function askBeforeGivingUp({ terminal }: Session, { id, clusters, stop }: RolloutView): Promise<void> {
  if (stop?.hint !== "hint.left-standing") return;
  const wanted = clusters[0] ?? "";
  const question = render(failure("cli.type-give-up", { rollout: id, cluster: wanted })).says;
  const typed = await terminal.ask(`${question}: `);
  if (typed === undefined || typed.trim() === wanted) return;
  throw new FailureError(failure("cli.not-confirmed", { typed: typed.trim(), wanted }));
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
