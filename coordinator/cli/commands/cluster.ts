import { Command } from "@commander-js/extra-typings";
import { render } from "#proto/catalogue/render.ts";
import { type Failure, FailureError, failure } from "#proto/common/failure.ts";
import { complaintsText } from "#proto/common/settings-file.ts";
import type { FleetView } from "../../domain/views.ts";
import type { InventoryChange } from "../../engine/orders/inventory-book.ts";
import { parseInventory } from "../../inventory/parse.ts";
import { command, read, type Session } from "../command.ts";
import { type ExitCode, exitCodes } from "../exit-code.ts";
import { renderClusters, renderNode, renderNodes } from "../render/fleet.ts";
import { renderChanges } from "../render/inventory.ts";
import { run, type Shell } from "../run.ts";

const pruneOption = ["--prune", "remove clusters that the file does not name", false] as const;

export function clusterCommand(shell: Shell): Command {
  const group = new Command("cluster").description("The inventory: which clusters and nodes there are");
  group.addCommand(
    command("list", "All clusters with versions, lock, claim and state", {
      examples: ["cluster list", "cluster list -o ndjson"],
    }).action((options) =>
      run(shell, options, async (session) => {
        session.show(
          await fleetOf(session),
          (fleet) => renderClusters(fleet, session.paint),
          ({ clusters }) => clusters,
        );
        return exitCodes.done;
      }),
    ),
  );
  group.addCommand(
    command("show", "One cluster, node by node", { examples: ["cluster show billing"] })
      .argument("<cluster>")
      .action((cluster, options) =>
        run(shell, options, async (session) => {
          session.show(
            await fleetOf(session, cluster),
            (fleet) => `${renderClusters(fleet, session.paint)}\n\n${renderNodes(fleet, session.paint)}`,
          );
          return exitCodes.done;
        }),
      ),
  );
  group.addCommand(
    command("apply", "Take the file's clusters into the inventory; others stay, without --prune", {
      examples: ["cluster apply fleet.yaml", "cluster apply fleet.yaml --prune"],
    })
      .argument("<file>")
      .option(...pruneOption)
      .option("-y, --yes", "do not ask before clusters are removed", false)
      .action((file, { prune, yes, ...options }) =>
        run(shell, options, async (session) => {
          if (prune && !yes) await askBeforeRemoving(session, file);
          return sendInventory(session, file, { prune, dryRun: false });
        }),
      ),
  );
  group.addCommand(
    command("diff", "What apply would change; exit code 10 when there is a difference", {
      examples: ["cluster diff fleet.yaml", "cluster diff fleet.yaml --prune"],
    })
      .argument("<file>")
      .option(...pruneOption)
      .action((file, { prune, ...options }) =>
        run(shell, options, (session) => sendInventory(session, file, { prune, dryRun: true })),
      ),
  );
  group.addCommand(
    command("discover", "Print an inventory from what the attached agents find", {
      examples: ["cluster discover > fleet.yaml"],
    }).action((options) =>
      run(shell, options, async (session) => {
        const { yaml } = await session.call((client) => client.discover({}));
        session.show({ yaml }, () => yaml.trimEnd());
        return exitCodes.done;
      }),
    ),
  );
  group.addCommand(
    command("remove-node", "Take a host that is gone for good out of its cluster, by name and reason", {
      examples: ['cluster remove-node billing db4 --reason "the host was scrapped"'],
    })
      .argument("<cluster>")
      .argument("<node>")
      .requiredOption("--reason <text>", "why it is gone; stands in the audit log")
      .action((cluster, node, options) =>
        run(shell, options, async (session) => {
          const { caller } = session.terminal;
          await session.call((client) =>
            client.removeNode({ caller, cluster, node, reason: options.reason }),
          );
          session.terminal.note(`${node} is out of ${cluster}; take it out of the inventory file too`);
          return exitCodes.done;
        }),
      ),
  );
  return group as unknown as Command;
}

export function nodeCommand(shell: Shell): Command {
  const group = new Command("node").description("Database nodes and their agents");
  group.addCommand(
    command("list", "All nodes, odd ones first; many alike are counted", {
      examples: ["node list", "node list --all", "node list -o ndjson"],
    })
      .option("--all", "each node on a line of its own", false)
      .action((options) =>
        run(shell, options, async (session) => {
          session.show(
            await fleetOf(session),
            (fleet) => renderNodes(fleet, session.paint, options.all),
            nodesOf,
          );
          return exitCodes.done;
        }),
      ),
  );
  group.addCommand(
    command("show", "One node", { examples: ["node show db2", "node show db2 -o json"] })
      .argument("<node>")
      .action((node, options) =>
        run(shell, options, async (session) => {
          session.show(
            onlyNode(await fleetOf(session), node),
            (fleet) => renderNode(fleet, session.paint),
            nodesOf,
          );
          return exitCodes.done;
        }),
      ),
  );
  return group as unknown as Command;
}

function nodesOf({ clusters, strangers = [] }: FleetView): readonly unknown[] {
  return [
    ...clusters.flatMap(({ name, nodes }) => nodes.map((node) => ({ cluster: name, ...node }))),
    ...strangers.map((stranger) => ({ cluster: null, ...stranger })),
  ];
}

async function fleetOf(session: Session, cluster = ""): Promise<FleetView> {
  const { fleet } = await session.call((client) => client.getFleet({ cluster }));
  return read<FleetView>(fleet, "fleet");
}

function onlyNode(fleet: FleetView, name: string): FleetView {
  const clusters = fleet.clusters
    .map((cluster) => ({ ...cluster, nodes: cluster.nodes.filter((node) => node.name === name) }))
    .filter(({ nodes }) => nodes.length > 0);
  if (clusters.length === 0) throw new FailureError(whyNoNode(fleet, name));
  const { strangers: _others, ...rest } = fleet;
  return { ...rest, clusters };
}

interface Sending {
  readonly dryRun: boolean;
  readonly prune: boolean;
}

/** An agent may call itself so, and its name may be the mistake. */
function whyNoNode({ strangers = [] }: FleetView, node: string): Failure {
  const stranger = strangers.find(({ name }) => name === node);
  return stranger === undefined
    ? failure("node.unknown", { node })
    : failure("node.not-in-inventory", { node, from: stranger.from });
}

/** Without a terminal nobody is asked: `--prune` is the word. */
async function askBeforeRemoving(session: Session, file: string): Promise<void> {
  const yaml = await inventoryIn(session, file);
  const { caller } = session.terminal;
  const { diff } = await session.call((client) =>
    client.applyInventory({ caller, yaml, fileName: file, dryRun: true, prune: true }),
  );
  const removed = read<readonly InventoryChange[]>(diff, "diff").filter(
    ({ kind, node, field }) => kind === "removed" && node === undefined && field === undefined,
  );
  if (removed.length === 0) return;
  const clusters = removed.map(({ cluster }) => cluster).join(", ");
  const question = render(failure("cli.type-prune", { clusters })).says;
  const typed = await session.terminal.ask(`${question}: `);
  if (typed === undefined || typed.trim() === "remove") return;
  throw new FailureError(failure("cli.not-confirmed", { typed: typed.trim(), wanted: "remove" }));
}

/** The file is read and parsed here too, so that complaints come without a coordinator. */
async function inventoryIn({ terminal }: Session, file: string): Promise<string> {
  const yaml = await terminal.readFile(file);
  const parsed = parseInventory(yaml, file);
  if (parsed.ok) return yaml;
  throw new FailureError(failure("inventory.unreadable", { complaints: complaintsText(parsed.complaints) }));
}

async function sendInventory(session: Session, file: string, { dryRun, prune }: Sending): Promise<ExitCode> {
  const yaml = await inventoryIn(session, file);
  const { caller } = session.terminal;
  const { diff, kept } = await session.call((client) =>
    client.applyInventory({ caller, yaml, fileName: file, dryRun, prune }),
  );
  const changes = read<readonly InventoryChange[]>(diff, "diff");
  session.show(changes, (list) => renderChanges(list, dryRun));
  if (kept.length > 0)
    session.terminal.note(render(failure("inventory.kept", { clusters: kept.join(", ") })).says);
  return dryRun && changes.length > 0 ? exitCodes.differences : exitCodes.done;
}
