/** What this node says of itself, at three depths, asked in parallel; every value measured or UNKNOWN with a reason. */
import { readlink } from "node:fs/promises";
import { get as getHttp } from "node:http";
import { get as getHttps } from "node:https";
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { KwdbFull, KwdbGate, KwdbPulse, Mode } from "#proto/engines/kwdb.ts";
import type { Depth, Host } from "../../verb.ts";
import { type Client, jobs, nodeRows, normal, openClient, ownRow, rangeHealth } from "./client.ts";
import { readText, sha256Of } from "./files.ts";
import { fullFacts } from "./full-facts.ts";
import { take } from "./measure.ts";
import { parseMode, parseVersionFile } from "./mode.ts";
import { paths } from "./paths.ts";
import type { KwdbSettings } from "./settings.ts";
import { readUnit } from "./unit.ts";

export async function kwdbFacts(
  host: Host,
  settings: KwdbSettings,
  depth: Depth,
): Promise<KwdbPulse | KwdbGate | KwdbFull> {
  const pulse = pulseFacts(host, settings);
  if (depth === "pulse") return pulse;
  const gate = gateFacts(host, settings);
  if (depth === "gate") return { ...(await pulse), ...(await gate) };
  const full = fullFacts(host, settings);
  return { ...(await pulse), ...(await gate), ...(await full) };
}

async function pulseFacts(host: Host, { unit }: KwdbSettings): Promise<KwdbPulse> {
  const [versionFile, state, ready] = await Promise.all([
    take(host, () => readVersionFile(host)),
    take(host, () => readUnit(host, unit)),
    take(host, () => isReady(host)),
  ]);
  return { versionFile, unit: state, ready };
}

async function gateFacts(
  host: Host,
  settings: KwdbSettings,
): Promise<Pick<KwdbGate, "nodes" | "ranges" | "jobs" | "running">> {
  const client = await openClient(host);
  const ask = <T>(question: (open: Client) => Promise<Outcome<T>>) =>
    take(host, async () => (client.ok ? question(client.value) : client));
  const nodes = ask((open) => nodeRows(open));
  const [rows, ranges, found, running] = await Promise.all([
    nodes,
    ask(rangeHealth),
    ask(jobs),
    ask(async (open) => readRunning(host, settings, open)),
  ]);
  return { nodes: mutable(rows), ranges, jobs: mutable(found), running };
}

/** Schemas give mutable lists; nothing here is changed after it was made. */
function mutable<T>(
  found: Awaited<ReturnType<typeof take<readonly T[]>>>,
): Awaited<ReturnType<typeof take<T[]>>> {
  return found as Awaited<ReturnType<typeof take<T[]>>>;
}

export async function readVersionFile(host: Host) {
  const text = await readText(host, paths.versionFile);
  return text.ok ? parseVersionFile(text.value) : text;
}

/** The process that runs: its executable by /proc, its version as the cluster knows its row. */
export async function readRunning(
  host: Host,
  { unit }: KwdbSettings,
  client: Client,
): Promise<Outcome<{ pid: number; version: string; executableSha256: string; startedAt: string }>> {
  const state = await readUnit(host, unit);
  if (!state.ok) return state;
  const { mainPid } = state.value;
  if (mainPid === 0) return fail("kwdb.not-running", {});
  const rows = await nodeRows(client);
  if (!rows.ok) return rows;
  const own = ownRow(rows.value, client.mode);
  if (own === undefined || own.build === null)
    return fail("kwdb.own-row-missing", { address: client.mode.address });
  const executable = await readlink(`/proc/${mainPid}/exe`);
  const executableSha256 = await sha256Of(`/proc/${mainPid}/exe`).catch(() => sha256Of(executable));
  return succeed({
    pid: mainPid,
    version: normal(own.build),
    executableSha256,
    startedAt: own.startedAt ?? "",
  });
}

const readyLimitMs = 5_000;

export async function isReady(host: Host): Promise<Outcome<boolean>> {
  const text = await readText(host, paths.mode);
  if (!text.ok) return text;
  const mode = parseMode(text.value);
  return mode.ok ? succeed(await asksReady(mode.value)) : mode;
}

/** 200 is the only yes; no answer is a no, since a node that does not listen is not ready. */
function asksReady({ security, httpPort }: Mode): Promise<boolean> {
  const ask = security === "insecure" ? getHttp : getHttps;
  const options = {
    host: "127.0.0.1",
    port: httpPort,
    path: "/health?ready=1",
    timeout: readyLimitMs,
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
