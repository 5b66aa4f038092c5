import type { Command } from "@commander-js/extra-typings";
import type { RolloutEvent } from "../../domain/rollout/event.ts";
import type { RolloutView, WhyView } from "../../domain/views.ts";
import { command, read } from "../command.ts";
import { exitCodes } from "../exit-code.ts";
import { follow, viewOf } from "../follow.ts";
import { renderEvent } from "../render/event.ts";
import { renderRollout, renderRolloutList } from "../render/rollout.ts";
import { renderWhy } from "../render/why.ts";
import { run, type Shell } from "../run.ts";

export function rolloutCommands(shell: Shell): readonly Command[] {
  return [
    status(shell),
    watch(shell),
    why(shell),
    logs(shell),
    history(shell),
  ] as readonly unknown[] as readonly Command[];
}

function status(shell: Shell) {
  return command("status", "Where a rollout stands; without a name, all that are open")
    .argument("[rollout|cluster]")
    .action((name, options) =>
      run(shell, options, async (session) => {
        if (name !== undefined) {
          session.show(await viewOf(session, name), (view) =>
            renderRollout(view, session.terminal.clock.now(), session.paint),
          );
          return exitCodes.done;
        }
        const { rollouts } = await session.call((client) =>
          client.listRollouts({ cluster: "", openOnly: true, limit: 100 }),
        );
        const views = rollouts.map((each) => read<RolloutView>(each, "rollout"));
        session.show(views, (list) =>
          list.length === 0
            ? "no open rollout"
            : list
                .map((view) => renderRollout(view, session.terminal.clock.now(), session.paint))
                .join("\n\n"),
        );
        return exitCodes.done;
      }),
    );
}

function watch(shell: Shell) {
  return command("watch", "Follow a rollout to its end or its next wait")
    .argument("<rollout|cluster>")
    .action((name, options) =>
      run(shell, options, async (session) => {
        const view = await viewOf(session, name);
        return follow(session, view.id);
      }),
    );
}

function why(shell: Shell) {
  return command("why", "Waiting for what, since when, who can change it, with which command")
    .argument("[rollout|cluster|node]")
    .action((name, options) =>
      run(shell, options, async (session) => {
        const answer = await session.call((client) => client.why({ name: name ?? "" }));
        session.show(read<WhyView>(answer.why, "why"), (view) => renderWhy(view, session.paint));
        return exitCodes.done;
      }),
    );
}

function logs(shell: Shell) {
  return command("logs", "The events of a rollout")
    .argument("<rollout|cluster>")
    .option("-n, --node <node>", "only this node's")
    .option("-f, --follow", "go on until it rests", false)
    .action((name, options) =>
      run(shell, options, async (session) => {
        const { id } = await viewOf(session, name);
        if (options.follow && options.node === undefined) return follow(session, id);
        await session.call(async (client) => {
          const stream = client.watch(
            { rollout: id, afterSequence: 0, follow: options.follow },
            { signal: session.terminal.interrupted },
          );
          for await (const { event } of stream) {
            const told = read<RolloutEvent>(event, "event");
            if (options.node !== undefined && !concerns(told, options.node)) continue;
            const line = session.output === "table" ? renderEvent(told) : JSON.stringify(told);
            if (line !== undefined) session.terminal.data(line);
          }
        });
        return exitCodes.done;
      }),
    );
}

function concerns({ fact }: RolloutEvent, node: string): boolean {
  return ("node" in fact && fact.node === node) || ("nodes" in fact && fact.nodes.includes(node));
}

function history(shell: Shell) {
  return command("history", "All rollouts, newest first")
    .argument("[cluster]")
    .option("--limit <count>", "how many", Number, 50)
    .action((cluster, options) =>
      run(shell, options, async (session) => {
        const { rollouts } = await session.call((client) =>
          client.listRollouts({ cluster: cluster ?? "", openOnly: false, limit: options.limit }),
        );
        session.show(
          rollouts.map((each) => read<RolloutView>(each, "rollout")),
          renderRolloutList,
        );
        return exitCodes.done;
      }),
    );
}
