/** Which way a cluster goes to a version: node by node while it serves, or stopped as a whole; and by which method. */
import { type Failure, fail, failure, type Outcome, succeed } from "#proto/common/failure.ts";
import type { ClusterEntry } from "../../domain/inventory.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import type { OpenWay } from "../../domain/way.ts";
import { formOf } from "./form.ts";
import { hopOf } from "./hop.ts";
import { outageMs } from "./outage.ts";

export interface Way {
  readonly strategy: "rolling" | "offline";
  readonly method: "script" | "container" | "compiled";
}

/** A method replaces the programs of one deployment. */
const methods: Readonly<Record<string, Way["method"]>> = {
  script: "script",
  container: "container",
  compiled: "compiled",
};

/**
 * The first is taken where none is named. Versions may serve mixed only where each range has copies on several nodes, so
 * a rolling upgrade is for multi-replica clusters alone.
 */
function strategiesOf({ topology }: Pick<ClusterEntry, "topology">): readonly Way["strategy"][] {
  return topology === "multi-replica" ? ["rolling", "offline"] : ["offline"];
}

/** Refused: `kwdb.deployment-not-served`, `kwdb.method-not-served`, `kwdb.strategy-not-served`. */
export function wayOf({ cluster, wish }: Pick<PlaybookInput, "cluster" | "wish">): Outcome<Way> {
  const { name, topology, deployment } = cluster;
  const facts = { cluster: name, topology, deployment };
  const method = methods[deployment];
  if (method === undefined) return fail("kwdb.deployment-not-served", facts);
  if (wish.method !== undefined && wish.method !== method)
    return fail("kwdb.method-not-served", { ...facts, method: wish.method, open: method });
  const open = strategiesOf(cluster);
  const strategy = open.find((each) => wish.strategy === undefined || each === wish.strategy);
  return strategy === undefined
    ? fail("kwdb.strategy-not-served", { ...facts, strategy: wish.strategy ?? "", open: open.join(" or ") })
    : succeed({ strategy, method });
}

/** All that are open, the one that is taken by default first; none where the hop may not be made, or the form not be served. */
export function openWays(input: PlaybookInput): readonly OpenWay[] {
  const method = methods[input.cluster.deployment];
  if (method === undefined || hopOf(input)?.may !== true) return [];
  const form = formOf(input);
  // one that no agent has told yet may be any
  if (!form.ok && form.failure.code !== "kwdb.form-unknown") return [];
  return strategiesOf(input.cluster).map((strategy, index) => ({
    strategy,
    method,
    isDefault: index === 0,
    downtime: downtimeOf(input, strategy),
    lost: failure("lost.kwdb.nothing", {}),
    wayBack: failure(wayBackOf(method, strategy), {}),
  }));
}

function wayBackOf(method: Way["method"], strategy: Way["strategy"]): Failure["code"] {
  if (method === "compiled") return "way-back.kwdb.kept-build";
  return strategy === "rolling" ? "way-back.kwdb.one-node" : "way-back.kwdb.all-stopped";
}

function downtimeOf(input: PlaybookInput, strategy: Way["strategy"]): Failure {
  const count = input.cluster.nodes.length;
  const nodes = String(count);
  const minutes = Math.ceil(outageMs(input) / 60_000);
  return strategy === "rolling"
    ? failure("downtime.kwdb.each-node", { nodes, minutes: String(minutes) })
    : failure("downtime.kwdb.all", { nodes, minutes: String(minutes * count) });
}
