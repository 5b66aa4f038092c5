// One standalone node in each form that is no script's: how the lab makes it, where its data is, and what says that
// it is the same data and that the old program is still to be had.

import { startCompiledCluster } from "./compiled-cluster.ts";
import { folder } from "./compiled-node.ts";
import {
  ownComposeFile,
  ownContainer,
  startByCompose,
  startByRun,
  startServiceCluster,
} from "./container-cluster.ts";
import { ContainerNode } from "./container-node.ts";
import type { FleetSpec } from "./fleet.ts";
import type { KwdbNode } from "./node.ts";

export type FormName = "docker-run" | "compose" | "compose-service" | "compiled";

export interface Form {
  readonly spec: Pick<FleetSpec, "deployment" | "agentSettings" | "start">;
  /** Boundaries of its steps, from staging to tidying, in their order. */
  readonly moments: readonly string[];
  /** On the host. */
  readonly data: string;
}

const contained = (change: string) => [
  ...["load-image started", "keep-image done", "stop started", change],
  ...["start started", "forget-kept started"],
];

export const forms: Readonly<Record<FormName, Form>> = {
  "docker-run": {
    spec: {
      deployment: "container",
      agentSettings: `container: ${ownContainer}`,
      start: startByRun(false),
    },
    moments: contained("set-aside done"),
    data: "/var/lib/kaiwudb",
  },
  compose: {
    spec: {
      deployment: "container",
      agentSettings: `compose: ${ownComposeFile}`,
      start: startByCompose,
    },
    moments: contained("change-image-line done"),
    data: "/var/lib/kaiwudb",
  },
  "compose-service": {
    spec: { deployment: "container", start: startServiceCluster },
    moments: contained("upgrade-package started"),
    data: "/var/lib/kaiwudb",
  },
  compiled: {
    spec: {
      deployment: "compiled",
      agentSettings: `program: { folder: ${folder} }`,
      start: startCompiledCluster("hand"),
    },
    moments: [
      ...["prove-build started", "keep-start done", "stop started", "exchange-build done"],
      ...["start started", "forget-old-builds started"],
    ],
    data: "/srv/kwdb",
  },
};

/** Writes something of the operator's own beside the rows, and on the volume without a name where there is one. */
export async function markData(node: KwdbNode, { data }: Form): Promise<void> {
  await node.host.write(`${data}/mark`, "written at the old version");
  if (hasOwnVolume(node))
    await node.host.must([
      "docker",
      "exec",
      node.container,
      "/bin/bash",
      "-c",
      "echo own >/kaiwudb/own/mark",
    ]);
}

/** The same store as ever, never begun anew; and every container that there ever was is the one that serves. */
export async function whatStands(node: KwdbNode, { data }: Form): Promise<Readonly<Record<string, unknown>>> {
  const log = (await node.host.read(`${data}/logs/kwbase.log`)) ?? "";
  return {
    mark: await node.host.read(`${data}/mark`),
    begunAnew: log.split("initialized new").length - 1,
    ready: await node.readyStatus(),
    ...(hasOwnVolume(node) ? { own: await ownMark(node) } : {}),
    ...(node instanceof ContainerNode ? { containers: await node.names() } : {}),
  };
}

function hasOwnVolume(node: KwdbNode): node is ContainerNode {
  return node instanceof ContainerNode && node.container === ownContainer;
}

async function ownMark(node: ContainerNode): Promise<string> {
  const [source] = (
    await node.inspect('{{range .Mounts}}{{if eq .Destination "/kaiwudb/own"}}{{.Source}}{{end}}{{end}}')
  ).split("\n");
  return (await node.host.read(`${source ?? ""}/mark`))?.trim() ?? "";
}

/** What of the old version is still there: names of containers, images and folders. */
export async function oldOnes(node: KwdbNode): Promise<readonly string[]> {
  const of = node instanceof ContainerNode ? [...(await node.names()), ...(await node.imageTags())] : [];
  const folders = (await node.host.exec(["ls", "/opt"])).stdout.split("\n");
  return [...of, ...folders].filter((name) => /-before-|^lockkeeper-kept:|\.kept-/.test(name));
}
