/** What a node answers on its SQL and RPC port. */
import { CliError } from "./cli-error.ts";
import { decommission, drain, startUpgrade } from "./lifecycle.ts";
import type { ClusterNode } from "./node.ts";
import { nodeStatus, type StatusExtra } from "./node-status.ts";
import { execute } from "./statements.ts";
import type { Frame, Handler, Reply } from "./wire.ts";

export interface Lifecycle {
  readonly secure: boolean;
  /** Ends the process as `quit` does. */
  quit(): void;
}

const ids = (frame: Frame): readonly number[] =>
  Array.isArray(frame["ids"]) ? frame["ids"].map(Number) : [];

/** Connections of SQL clients; `node status` is one too. */
async function client(node: ClusterNode, frame: Frame): Promise<Reply | undefined> {
  if (node.identity === undefined || node.stuck || node.self === undefined) return undefined;
  if (node.self.draining)
    throw new CliError({ message: "server is not accepting clients", sqlstate: "57P01" });
  if (frame.rpc === "sql") return execute(node, String(frame["statement"]));
  const [stranger] = ids(frame).filter((id) => !node.view().records.some((record) => record.id === id));
  if (stranger !== undefined) throw new CliError(`node ${stranger} doesn't exist`);
  return { table: nodeStatus(node.view(), ids(frame), (frame["extras"] ?? []) as readonly StatusExtra[]) };
}

async function drainAloud(node: ClusterNode, send: (reply: Reply) => void): Promise<Reply> {
  if (node.identity === undefined)
    throw new CliError("node cannot be drained before it has been initialized");
  for await (const remaining of drain(node)) send({ remaining, more: true });
  return {};
}

async function answer(
  node: ClusterNode,
  life: Lifecycle,
  frame: Frame,
  send: (reply: Reply) => void,
): Promise<Reply | undefined> {
  switch (frame.rpc) {
    case "gossip":
      return node.hear(frame);
    case "admit":
      return node.admit(String(frame["address"]));
    case "sql":
    case "status":
      return client(node, frame);
    case "init":
      node.initialise();
      return {};
    case "drain":
      return drainAloud(node, send);
    case "quit":
      setImmediate(life.quit);
      return {};
    case "upgrade":
      await startUpgrade(node, ids(frame));
      return {};
    case "decommission":
      await decommission(node, ids(frame));
      return { table: nodeStatus(node.view(), ids(frame), ["decommission"]) };
    default:
      throw new CliError(`unknown service ${frame.rpc}`);
  }
}

export function handlerOf(node: ClusterNode, life: Lifecycle): Handler {
  return async (frame, send) => {
    try {
      const fromPeer = frame.rpc === "gossip" || frame.rpc === "admit";
      if (!fromPeer && frame["secure"] === true && !life.secure) {
        throw new CliError("cannot establish secure connection to insecure server.\nMaybe use --insecure?\n");
      }
      if (!fromPeer && frame["secure"] !== true && life.secure)
        throw new CliError("node is running secure mode, SSL connection required");
      return await answer(node, life, frame, send);
    } catch (error) {
      return { error: error instanceof CliError ? error.parts : { message: String(error) } };
    }
  };
}
