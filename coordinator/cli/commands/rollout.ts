import type { Command } from "@commander-js/extra-typings";
import { FailureError, failure } from "#proto/common/failure.ts";
import type { RolloutEvent } from "../../domain/rollout/event.ts";
import type { RolloutView, WhyView } from "../../domain/views.ts";
import { command, count, read, type Session } from "../command.ts";
import { exitCodes } from "../exit-code.ts";
import { concerns, follow, tell, viewOf } from "../follow.ts";
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
  return command("status", "Where a rollout stands; without a name, all that are open", {
    examples: ["status", "status billing", "status 20260131-221500-abcd -o json"],
  })
    .argument("[rollout|cluster|node]")
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
  return command("watch", "Follow a rollout to its end or its next wait", {
    examples: ["watch", "watch billing", "watch billing -o ndjson | jq .fact.kind"],
  })
    .argument("[rollout|cluster|node]", "default: the only one that is open")
    .action((name, options) =>
      run(shell, options, async (session) => {
        const view = await viewOf(session, name ?? (await onlyOpen(session)));
        return follow(session, view.id);
      }),
    );
}

async function onlyOpen(session: Session): Promise<string> {
  const { rollouts } = await session.call((client) =>
    client.listRollouts({ cluster: "", openOnly: true, limit: 100 }),
  );
  const ids = rollouts.map((each) => read<RolloutView>(each, "rollout").id);
  const [only] = ids;
  if (only !== undefined && ids.length === 1) return only;
  throw new FailureError(
    ids.length === 0
      ? failure("cli.no-open-rollout", {})
      : failure("cli.which-rollout", { open: ids.join(", ") }),
  );
}

function why(shell: Shell) {
  return command("why", "Waiting for what, since when, who can change it, with which command", {
    examples: ["why", "why billing", "why db2"],
  })
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
  return command("logs", "The events of a rollout", {
    examples: [
      "logs billing",
      "logs billing -n db2",
      "logs billing -f",
      "logs billing -o ndjson > events.ndjson",
    ],
  })
    .argument("<rollout|cluster|node>")
    .option("-n, --node <node>", "only this node's")
    .option("-f, --follow", "go on until it rests", false)
    .action((name, options) =>
      run(shell, options, async (session) => {
        const { id } = await viewOf(session, name);
        if (options.follow) return follow(session, id, { node: options.node });
        await session.stream(async (client) => {
          const stream = client.watch(
            { rollout: id, afterSequence: 0, follow: false },
            { signal: session.terminal.interrupted },
          );
          for await (const { event } of stream) {
            const told = read<RolloutEvent>(event, "event");
            if (options.node === undefined || concerns(told, options.node)) tell(session, told);
          }
        });
        return exitCodes.done;
      }),
    );
}

function history(shell: Shell) {
  return command("history", "All rollouts, newest first", {
    examples: ["history", "history billing --limit 5"],
  })
    .argument("[cluster]")
    .option("--limit <count>", "how many", count, 50)
    .action((cluster, options) =>
      run(shell, options, async (session) => {
        const { rollouts } = await session.call((client) =>
          client.listRollouts({ cluster: cluster ?? "", openOnly: false, limit: options.limit }),
        );
        // an empty history of a misspelt name would read as "nothing ever ran"
        if (cluster !== undefined && rollouts.length === 0)
          await session.call((client) => client.getFleet({ cluster }));
        session.show(
          rollouts.map((each) => read<RolloutView>(each, "rollout")),
          renderRolloutList,
        );
        return exitCodes.done;
      }),
    );
}
