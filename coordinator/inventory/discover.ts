/** An inventory in YAML from what the attached agents find on their hosts: a draft for a person to read. */
import { stringify } from "yaml";
import type { Outcome } from "#proto/common/failure.ts";
import { fail, succeed } from "#proto/common/failure.ts";
import type { NodeReport } from "#proto/common/report.ts";
import { Depth } from "#proto/gen/lockkeeper/v1/health_pb.ts";
import { fewOf } from "../domain/few.ts";
import type { Playbook } from "../domain/playbook.ts";
import type { Fleet } from "../engine/ports.ts";

/** Where there is no inventory yet, all are new, and nothing needs to be said. */
function remarkOn(strangers: readonly string[], nodes: readonly string[]): string {
  const isNews = strangers.length > 0 && strangers.length < nodes.length;
  return isNews ? `# not in the inventory so far: ${fewOf(strangers)}\n` : "";
}

export interface DiscoveredFleet extends Fleet {
  attachedNodes(): readonly string[];
  strangers(): readonly string[];
}

const reportLimitMs = 30_000;

export async function discoverInventory(
  fleet: DiscoveredFleet,
  playbooks: Readonly<Record<string, Playbook>>,
): Promise<Outcome<string>> {
  const nodes = fleet.attachedNodes();
  if (nodes.length === 0) return fail("discover.no-agents", {});
  const taken = await Promise.all(nodes.map((node) => fleet.takeReport(node, Depth.FULL, reportLimitMs)));
  const reports = taken.flatMap((report) => (report.ok ? [report.value] : []));
  const byEngine = new Map<string, NodeReport[]>();
  for (const report of reports) byEngine.set(report.engine, [...(byEngine.get(report.engine) ?? []), report]);
  const clusters = [...byEngine].flatMap(([engine, found]) => playbooks[engine]?.discover(found) ?? []);
  const document = {
    clusters: Object.fromEntries(
      clusters.map(({ name, engine, topology, deployment, nodes: members }) => [
        name,
        {
          engine,
          topology,
          deployment,
          nodes: Object.fromEntries(members.map((node) => [node.name, { address: node.address }])),
        },
      ]),
    ),
  };
  const silent = nodes
    .filter((_, index) => taken[index]?.ok !== true)
    .map((node) => `# ${node} is attached and gave no report\n`);
  return succeed(`${silent.join("")}${remarkOn(fleet.strangers(), nodes)}${stringify(document)}`);
}
