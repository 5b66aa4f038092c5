import { Command } from "@commander-js/extra-typings";
import { FailureError, failure } from "#proto/common/failure.ts";
import { differences } from "../../domain/snapshot/difference.ts";
import type { Snapshot, SnapshotHead } from "../../domain/snapshot/snapshot.ts";
import { command, count, read, type Session } from "../command.ts";
import { exitCodes } from "../exit-code.ts";
import { renderDifferences, renderSnapshot, renderSnapshotList } from "../render/snapshot.ts";
import { run, type Shell } from "../run.ts";

export function snapshotCommand(shell: Shell): Command {
  const group = new Command("snapshot").description("The fleet's health and versions at one moment");
  group.addCommand(
    command("take", "Take one now", {
      examples: ["snapshot take", 'snapshot take billing --reason "before the holidays"'],
    })
      .argument("[cluster]", "default: the whole fleet")
      .option("--reason <text>", "shown in the list", "on demand")
      .action((cluster, options) =>
        run(shell, options, async (session) => {
          const { caller } = session.terminal;
          const { snapshot } = await session.call((client) =>
            client.takeSnapshot({ caller, cluster: cluster ?? "", reason: options.reason }),
          );
          const taken = read<Snapshot>(snapshot, "snapshot");
          session.show(taken, (it) => renderSnapshot(it, session.paint), partsOf);
          return exitCodes.done;
        }),
      ),
  );
  group.addCommand(
    command("list", "Stored snapshots, newest first", {
      examples: ["snapshot list", "snapshot list billing --limit 5 -o json"],
    })
      .argument("[cluster]")
      .option("--limit <count>", "how many", count, 50)
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
    command("show", "One snapshot, grouped by version and state, odd nodes first", {
      examples: ["snapshot show s-20260131-221500-abcd", "snapshot show s-20260131-221500-abcd billing"],
    })
      .argument("<id>")
      .argument("[cluster]", "only this one")
      .action((id, cluster, options) =>
        run(shell, options, async (session) => {
          const snapshot = ofCluster(await snapshotOf(session, id), cluster);
          session.show(snapshot, (it) => renderSnapshot(it, session.paint), partsOf);
          return exitCodes.done;
        }),
      ),
  );
  group.addCommand(
    command("diff", "What changed between two; exit code 10 when anything did", {
      examples: [
        "snapshot diff s-20260131-221500-abcd s-20260131-233000-efgh",
        "snapshot diff s-20260131-221500-abcd s-20260131-233000-efgh --volatile -o ndjson",
      ],
    })
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

function ofCluster(snapshot: Snapshot, cluster: string | undefined): Snapshot {
  if (cluster === undefined) return snapshot;
  const clusters = snapshot.clusters.filter(({ name }) => name === cluster);
  if (clusters.length === 0)
    throw new FailureError(failure("cluster.unknown", { cluster, known: namesOf(snapshot).join("\n") }));
  return { ...snapshot, clusters };
}

function namesOf({ clusters }: Snapshot): readonly string[] {
  return clusters.map(({ name }) => name);
}

/** As lines: one per node, each with the cluster and the snapshot that it is of. */
function partsOf({ id, takenAt, clusters }: Snapshot): readonly unknown[] {
  return clusters.flatMap((cluster) =>
    cluster.nodes.map((node) => ({ snapshot: id, takenAt, cluster: cluster.name, ...node })),
  );
}
