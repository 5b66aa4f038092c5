/** The cluster as one node sees it, in two runs of the client; and whether this node serves. */
import { get as getHttp } from "node:http";
import { get as getHttps } from "node:https";
import { connect } from "node:net";
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Mode, NodeRow } from "#proto/engines/kwdb.ts";
import type { AskOptions, Client } from "./client.ts";
import type { Installation } from "./installation.ts";
import { nodeStatus, withMarks } from "./node-status.ts";
import { gossipFlags, rangeSums, readRangeSums } from "./questions.ts";

export interface ClusterView {
  readonly nodes: readonly NodeRow[];
  readonly ranges: { readonly unavailable: number; readonly underReplicated: number };
}

/** All of it, or the first reason why not. */
export async function viewCluster(client: Client, options: AskOptions = {}): Promise<Outcome<ClusterView>> {
  const [status, [marks, sums]] = await Promise.all([
    nodeStatus(client, options),
    client.ask([gossipFlags, rangeSums], options),
  ]);
  if (!status.ok) return status;
  if (marks === undefined || sums === undefined) return fail("kwdb.metrics-missing", {});
  if (!marks.ok) return marks;
  if (!sums.ok) return sums;
  const ranges = readRangeSums(sums.value);
  if (!ranges.ok) return ranges;
  return succeed({
    nodes: withMarks(status.value, marks.value),
    ranges: ranges.value,
  });
}

export async function markedNodes(client: Client, options: AskOptions = {}): Promise<Outcome<NodeRow[]>> {
  const [status, [marks]] = await Promise.all([
    nodeStatus(client, options),
    client.ask([gossipFlags], options),
  ]);
  if (!status.ok) return status;
  if (marks === undefined) return fail("kwdb.metrics-missing", {});
  return marks.ok ? succeed(withMarks(status.value, marks.value)) : marks;
}

const readyLimitMs = 3_000;

/** `/health?ready=1`: 200 only while it serves, is live and does not drain. */
export async function isReady(here: Installation): Promise<Outcome<boolean>> {
  const mode = await here.mode();
  if (!mode.ok) return mode;
  const { security, httpHost = "127.0.0.1", httpPort } = mode.value;
  return succeed(await saysReady(security, `${httpHost}:${httpPort}`));
}

/** Those of the pages (`host:port`), of nodes as secure as this one, that do not say that their node serves. */
export async function notReadyAmong(
  { security }: Mode,
  pages: readonly string[],
): Promise<readonly string[]> {
  const ready = await Promise.all(pages.map((page) => saysReady(security, page)));
  return pages.filter((_, at) => ready[at] !== true);
}

/** 200 is the only yes; no answer is a no, since a node that does not listen is not ready. */
function saysReady(security: Mode["security"], page: string): Promise<boolean> {
  const ask = security === "insecure" ? getHttp : getHttps;
  const portAt = page.lastIndexOf(":");
  const options = {
    host: page.slice(0, portAt).replace(/^\[|\]$/g, ""),
    port: Number(page.slice(portAt + 1)),
    path: "/health?ready=1",
    timeout: readyLimitMs,
    // the page is public and nothing secret is sent: the certificate is for other names
    rejectUnauthorized: false,
    agent: false,
  };
  return new Promise((resolve) => {
    const request = ask(options, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve(false));
  });
}

/** Whether anything takes a connection on this port of this host. */
export function isListening(port: number, host = "127.0.0.1"): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: readyLimitMs });
    const tell = (is: boolean) => {
      socket.destroy();
      resolve(is);
    };
    socket.once("connect", () => tell(true));
    socket.once("timeout", () => tell(true));
    socket.once("error", () => tell(false));
  });
}
