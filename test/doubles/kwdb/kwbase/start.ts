/** `start`, `start-single-replica`, `start-single-node`: the process of one node, from its flags to its exit code. */
import { setTimeout as sleep } from "node:timers/promises";
import { buildSha, buildTag, buildTime, hasBrpc } from "./build.ts";
import { readCerts } from "./certs.ts";
import { CliError } from "./cli-error.ts";
import { type FlagKinds, type Flags, flag, isSet, parseFlags } from "./flags.ts";
import { listenHttp } from "./http.ts";
import { hostRoot, readKnobs, strike } from "./knobs.ts";
import { completeUpgrade, drain } from "./lifecycle.ts";
import { ClusterNode } from "./node.ts";
import { periods } from "./records.ts";
import { handlerOf } from "./server.ts";
import { openStore, report, writeAddressFiles } from "./store.ts";
import { listen, speakAs, splitAddress } from "./wire.ts";

const flagKinds: FlagKinds = {
  insecure: "switch",
  "certs-dir": "value",
  tlcp: "switch",
  "listen-addr": "value",
  "advertise-addr": "value",
  "http-addr": "value",
  store: "value",
  "store-encryption": "value",
  join: "value",
  locality: "value",
  cache: "value",
  "max-sql-memory": "value",
  background: "switch",
  "upgrade-complete": "switch",
  logtostderr: "value",
  ...(hasBrpc ? { "brpc-addr": "value" } : {}),
};

const drainRetryMs = 500;
const hardText =
  "received signal 'terminated' during shutdown, initiating hard shutdown - node may take longer to restart & clients may need to wait for leases to expire";

function check(mode: string, flags: Flags): void {
  const single = mode === "start-single-node";
  if (single && flag(flags, "join") !== undefined) throw new CliError("unknown flag: --join");
  if (!single && flag(flags, "join") === undefined) {
    throw new CliError({
      message: `no --join flags provided to 'kwbase ${mode}'`,
      hint: "Consider using 'kwbase init' or 'kwbase start-single-node' instead",
    });
  }
  if (!single && hasBrpc && flag(flags, "brpc-addr") === undefined)
    throw new CliError("--brpc-addr's port not specified");
  if (!isSet(flags, "insecure") && flag(flags, "certs-dir") === undefined)
    throw new CliError(
      "cannot load certificates.\nCheck your certificate settings, set --certs-dir, or use --insecure for insecure clusters.",
    );
}

/** Where to listen: 0.0.0.0 means, on a host that is only a folder, the loopback and the advertised address. */
function listenHosts(address: string, advertised: string, loopbackOnly: boolean): readonly string[] {
  const host = address.slice(0, address.lastIndexOf(":"));
  if (host !== "" && host !== "0.0.0.0") return [host === "localhost" ? "127.0.0.1" : host];
  return loopbackOnly ? [...new Set(["127.0.0.1", splitAddress(advertised, 0).host])] : ["0.0.0.0"];
}

function banner(node: ClusterNode, store: string, status: string, tookMs: number): string {
  const rows: readonly (readonly [string, string])[] = [
    ["build:", `KaiwuDB ${buildTag} @ ${buildTime} (go1.21.13)`],
    ["sql:", `postgresql://root@${node.options.desc.address}?sslmode=disable`],
    ["store[0]:", `path=${store}`],
    ["status:", status],
    ["clusterID:", node.identity?.clusterId ?? ""],
    ["nodeID:", String(node.identity?.nodeId ?? "")],
  ];
  const head = `KWDB node starting at ${new Date().toISOString().replace("T", " ").replace("Z", "")} +0000 UTC (took ${(tookMs / 1000).toFixed(1)}s)`;
  return [head, ...rows.map(([name, value]) => `${name.padEnd(20)} ${value}`)].join("\n");
}

/** First signal drains, a second one ends the process the hard way. */
function shutdownOn(node: ClusterNode, store: string, ready: () => boolean): () => void {
  let stopping = false;
  const graceful = async (exitCode: number) => {
    if (!ready()) {
      report(store, "too early to drain; used hard shutdown instead");
      node.end();
      process.exit(1);
    }
    report(store, "initiating graceful shutdown of server");
    await sleep(20);
    for await (const remaining of drain(node)) if (remaining > 0) await sleep(drainRetryMs * node.scale);
    report(store, "server drained and shutdown completed");
    node.end();
    process.exit(exitCode);
  };
  const onSignal = (signal: NodeJS.Signals) => {
    if (node.knobs["ignore_signals"] === "yes") return;
    if (!stopping) {
      stopping = true;
      void graceful(signal === "SIGINT" ? 1 : 0);
      return;
    }
    report(store, hardText, "W");
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  return () => onSignal("SIGTERM");
}

async function untilPartOfCluster(node: ClusterNode, store: string, isReady: () => boolean): Promise<void> {
  const missingAfter = Date.now() + periods.peersMissing * node.scale;
  let told = false;
  while (!isReady()) {
    await sleep(20);
    if (!told && Date.now() > missingAfter) {
      told = true;
      report(
        store,
        "The server appears to be unable to contact the other nodes in the cluster. Please try:\n\n- starting the other nodes, if you haven't already;",
        "W",
      );
    }
  }
}

function addresses(flags: Flags) {
  const sql = flag(flags, "listen-addr") ?? "0.0.0.0:26257";
  const advertised = flag(flags, "advertise-addr") ?? sql;
  const { host, port } = splitAddress(advertised, splitAddress(sql, 26257).port);
  return { sql, advertised: `${host}:${port}`, http: flag(flags, "http-addr") ?? "0.0.0.0:8080" };
}

export async function start(mode: string, argv: readonly string[]): Promise<never> {
  const began = Date.now();
  const flags = parseFlags(argv, flagKinds);
  check(mode, flags);
  const root = hostRoot();
  const knobs = readKnobs(root);
  const store = flag(flags, "store") ?? "kwbase-data";
  const kept = openStore(store, mode);
  const { sql, advertised, http } = addresses(flags);
  const node = new ClusterNode({
    root,
    store,
    kept,
    locality: flag(flags, "locality"),
    desc: { address: advertised, build: buildTag, startedAt: began, startMode: mode },
    join: (flags.values.get("join") ?? []).flatMap((list) => list.split(",")),
  });
  const secure = !isSet(flags, "insecure");
  const certs = secure ? readCerts(flag(flags, "certs-dir") ?? "", "node") : undefined;
  speakAs(certs);
  const loopbackOnly = knobs["loopback_only"] === "yes";
  let serving = false;
  const stop = shutdownOn(node, store, () => serving);
  await listen(
    listenHosts(sql, advertised, loopbackOnly),
    splitAddress(sql, 26257).port,
    handlerOf(node, { secure, quit: stop }),
    certs,
  );
  await listenHttp(
    node,
    secure ? (flag(flags, "certs-dir") ?? "") : undefined,
    listenHosts(http, advertised, loopbackOnly),
    splitAddress(http, 8080).port,
  );
  writeAddressFiles(store, {
    "listen-addr": sql,
    "advertise-addr": advertised,
    "http-addr": http,
    "sql-addr": sql,
    "advertise-sql-addr": advertised,
  });
  const deathMs = strike(root, knobs, "die_after_ms");
  if (deathMs !== undefined) setTimeout(() => process.exit(2), Number(deathMs)).unref();
  if (mode === "start-single-node" && kept.identity === undefined) node.initialise();
  const known = kept.identity !== undefined;
  const running = node.run();
  await untilPartOfCluster(node, store, () => node.identity !== undefined);
  const status = known
    ? "restarted pre-existing node"
    : node.identity?.nodeId === 1
      ? "initialized new cluster"
      : "initialized new node, joined pre-existing cluster";
  await node.begin();
  await untilPartOfCluster(node, store, () => node.live);
  serving = true;
  if (isSet(flags, "upgrade-complete")) await completeUpgrade(node);
  report(store, banner(node, store, status, Date.now() - began));
  await running;
  await sleep(1000);
  process.exit(0);
}

export const versionText = `KaiwuDB Version:  ${buildTag}
Build Time:       ${buildTime}
Distribution:     
Platform:         linux amd64 (x86_64-linux-gnu)
Go Version:       go1.21.13
C Compiler:       gcc 11.4.0
Build SHA-1:      ${buildSha}
`;
