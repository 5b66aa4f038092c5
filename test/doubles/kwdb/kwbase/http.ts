/** The HTTP port: /health, /_status/vars, /_status/nodes, /_admin/v1/liveness. */
import { existsSync, readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import path from "node:path";
import { buildSha, buildTag } from "./build.ts";
import type { ClusterNode } from "./node.ts";
import { describedIn, livenessStatus, type View } from "./records.ts";
import { settingValue } from "./tables.ts";

interface Page {
  readonly status: number;
  readonly type: "application/json" | "text/plain";
  readonly body: string;
}

const livenessNumber = { DEAD: 1, LIVE: 3, DECOMMISSIONING: 4, DECOMMISSIONED: 5, UPGRADING: 6 } as const;

const json = (value: unknown, status = 200): Page => ({
  status,
  type: "application/json",
  body: JSON.stringify(value),
});

const unavailable = (message: string): Page => json({ error: message, code: 14, message }, 503);

function health(node: ClusterNode, ready: boolean): Page {
  if (!ready) return json({});
  if (node.identity === undefined) return unavailable("node is waiting for cluster initialization");
  if (node.self?.draining === true) return unavailable("node is shutting down");
  return node.live && !node.stuck ? json({}) : unavailable("node is not healthy");
}

function livenesses(view: View): Readonly<Record<string, number>> {
  return Object.fromEntries(
    view.records.map((record) => [String(record.id), livenessNumber[livenessStatus(record, view.now)]]),
  );
}

function nodes(view: View): Page {
  const described = view.records.flatMap((record) => {
    const desc = describedIn(view, record);
    if (desc === undefined) return [];
    return [
      {
        desc: {
          nodeId: record.id,
          address: { networkField: "tcp", addressField: desc.address },
          buildTag: desc.build,
          ServerVersion: settingValue(view, "version"),
          startedAt: `${desc.startedAt}000000`,
        },
        buildInfo: { tag: desc.build, revision: buildSha, platform: "linux amd64" },
        startedAt: `${desc.startedAt}000000`,
        updatedAt: `${record.updatedAt}000000`,
        storeStatuses: [{ desc: { storeId: record.id }, metrics: record.metrics ?? {} }],
      },
    ];
  });
  return json({ nodes: described, livenessByNodeId: livenesses(view) });
}

function vars(node: ClusterNode): Page {
  const metrics = node.self?.metrics;
  const lines = [
    `build_timestamp{tag="${buildTag}",go_version="go1.21.13"} 1`,
    `sys_uptime ${Math.floor(process.uptime())}`,
    `ranges ${metrics?.ranges ?? 0}`,
    `ranges_unavailable ${metrics?.unavailable ?? 0}`,
    `ranges_underreplicated ${metrics?.underreplicated ?? 0}`,
    `replicas ${metrics?.replicas ?? 0}`,
    `replicas_leaseholders ${metrics?.leaseholders ?? 0}`,
  ];
  return { status: 200, type: "text/plain", body: `${lines.join("\n")}\n` };
}

function page(node: ClusterNode, secure: boolean, url: URL): Page {
  const path = url.pathname;
  if (path === "/health" || path === "/_admin/v1/health")
    return health(node, url.searchParams.get("ready") === "1");
  if (path === "/_status/vars") return vars(node);
  if (path.startsWith("/_") && secure)
    return json({ error: "a valid authentication cookie is required", code: 16 }, 401);
  if (path === "/_status/nodes") return nodes(node.view());
  if (path === "/_admin/v1/liveness") return json({ statuses: livenesses(node.view()) });
  return { status: 404, type: "text/plain", body: "404 page not found\n" };
}

/** On one port in plain text and, where the folder of certificates has a node's, in TLS: told by the first byte. */
function serverFor(handler: http.RequestListener, certs: string | undefined): net.Server {
  const plain = http.createServer(handler);
  const file = (name: string) => path.join(certs ?? "", name);
  if (certs === undefined || !existsSync(file("node.crt"))) return plain;
  const secret = { cert: readFileSync(file("node.crt")), key: readFileSync(file("node.key")) };
  const tls = https.createServer(secret, handler);
  return net.createServer((socket) => {
    socket.once("error", () => socket.destroy());
    socket.once("data", (chunk: Buffer) => {
      socket.pause();
      socket.unshift(chunk);
      (chunk[0] === handshake ? tls : plain).emit("connection", socket);
      process.nextTick(() => socket.resume());
    });
  });
}

const handshake = 0x16;

export async function listenHttp(
  node: ClusterNode,
  certs: string | undefined,
  hosts: readonly string[],
  port: number,
): Promise<void> {
  const secure = certs !== undefined;
  const handler: http.RequestListener = (request, response) => {
    const found = page(node, secure, new URL(request.url ?? "/", "http://node"));
    response.writeHead(found.status, { "content-type": found.type });
    response.end(found.body);
  };
  await Promise.all(
    hosts.map(
      (host) =>
        new Promise<void>((resolve, reject) => {
          const server = serverFor(handler, certs);
          server.once("error", reject);
          server.listen(port, host, resolve);
        }),
    ),
  );
}
