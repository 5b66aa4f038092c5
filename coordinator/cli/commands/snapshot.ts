import { Command } from "@commander-js/extra-typings";
import { differences } from "../../domain/snapshot/difference.ts";
import type { Snapshot, SnapshotHead } from "../../domain/snapshot/snapshot.ts";
import { command, read, type Session } from "../command.ts";
import { exitCodes } from "../exit-code.ts";
import { renderDifferences, renderSnapshot, renderSnapshotList } from "../render/snapshot.ts";
import { run, type Shell } from "../run.ts";

export function snapshotCommand(shell: Shell): Command {
  const group = new Command("snapshot").description("The fleet's health and versions at one moment");
  group.addCommand(
    command("take", "Take one now")
      .argument("[cluster]", "default: the whole fleet")
      .option("--reason <text>", "shown in the list", "on demand")
      .action((cluster, options) =>
        run(shell, options, async (session) => {
          const { caller } = session.terminal;
          const { snapshot } = await session.call((client) =>
            client.takeSnapshot({ caller, cluster: cluster ?? "", reason: options.reason }),
          );
          session.show(read<Snapshot>(snapshot, "snapshot"), (it) => renderSnapshot(it, session.paint));
          return exitCodes.done;
        }),
      ),
  );
  group.addCommand(
    command("list", "Stored snapshots, newest first")
      .argument("[cluster]")
      .option("--limit <count>", "how many", Number, 50)
      .action((cluster, options) =>
        run(shell, options, async (session) => {
          const { snapshots } = await session.call((client) =>
            client.listSnapshots({ cluster: cluster ?? "", limit: options.limit }),
          );
          session.show(
            snapshots.map((each) => read<SnapshotHead>(each, "snapshot-head")),
            renderSnapshotList,
          );
          return exitCodes.done;
        }),
      ),
  );
  group.addCommand(
    command("show", "One snapshot, grouped by version and state, odd nodes first")
      .argument("<id>")
      .action((id, options) =>
        run(shell, options, async (session) => {
          session.show(await snapshotOf(session, id), (it) => renderSnapshot(it, session.paint));
          return exitCodes.done;
        }),
      ),
  );
  group.addCommand(
    command("diff", "What changed between two; exit code 10 when anything did")
      .argument("<before>")
      .argument("<after>")
      .option(
        "--volatile",
        "show load, free space, sessions and other values that move by themselves too",
        false,
      )
      .action((before, after, options) =>
        run(shell, options, async (session) => {
          const [from, to] = await Promise.all([snapshotOf(session, before), snapshotOf(session, after)]);
          const changes = differences(from, to, { volatileToo: options.volatile });
          session.show(changes, (list) => renderDifferences(list, session.paint));
          return changes.length > 0 ? exitCodes.differences : exitCodes.done;
        }),
      ),
  );
  return group as unknown as Command;
}

async function snapshotOf(session: Session, id: string): Promise<Snapshot> {
  const { snapshot } = await session.call((client) => client.getSnapshot({ id }));
  return read<Snapshot>(snapshot, "snapshot");
}
