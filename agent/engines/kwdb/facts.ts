/** What this node says of itself, at three depths, asked in parallel; every value measured or UNKNOWN with a reason. */
import { readFile } from "node:fs/promises";
import { get as getHttp } from "node:http";
import { get as getHttps } from "node:https";
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { KwdbFull, KwdbGate, KwdbPulse, Mode, NodeRow } from "#proto/engines/kwdb.ts";
import type { Depth, Host } from "../../verb.ts";
import { type Client, gateAnswers, nodeRows, normal, openClient, ownRow } from "./client.ts";
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
  const asked = client.ok ? gateAnswers(client.value) : Promise.resolve(client);
  const part = <T>(pick: (answers: GateAnswers) => T) =>
    take(host, async (): Promise<Outcome<T>> => {
      const answers = await asked;
      return answers.ok ? succeed(pick(answers.value)) : answers;
    });
  const running = take(host, async () => {
    const answers = await asked;
    if (!client.ok) return client;
    return answers.ok
      ? runningProcess(host, settings, ownRow(answers.value.rows, client.value.mode))
      : answers;
  });
  const [nodes, ranges, jobs] = await Promise.all([
    part(({ rows }) => [...rows]),
    part((answers) => answers.ranges),
    part((answers) => [...answers.jobs]),
  ]);
  return { nodes, ranges, jobs, running: await running };
}

type GateAnswers = Extract<Awaited<ReturnType<typeof gateAnswers>>, { readonly ok: true }>["value"];

export async function readVersionFile(host: Host) {
  const text = await readText(host, paths.versionFile);
  return text.ok ? parseVersionFile(text.value) : text;
}

interface Running {
  pid: number;
  version: string;
  executableSha256: string;
  startedAt: string;
}

/** The process that runs: its executable by /proc, its version as the cluster knows its row. */
export async function readRunning(
  host: Host,
  settings: KwdbSettings,
  client: Client,
): Promise<Outcome<Running>> {
  const rows = await nodeRows(client);
  return rows.ok ? runningProcess(host, settings, ownRow(rows.value, client.mode)) : rows;
}

async function runningProcess(
  host: Host,
  { unit }: KwdbSettings,
  own: NodeRow | undefined,
): Promise<Outcome<Running>> {
  const state = await readUnit(host, unit);
  if (!state.ok) return state;
  const { mainPid } = state.value;
  if (mainPid === 0) return fail("kwdb.not-running", {});
  if (own === undefined || own.build === null) return fail("kwdb.own-row-missing", { address: "its own" });
  const executableSha256 = await executableDigest(mainPid);
  return succeed({
    pid: mainPid,
    version: normal(own.build),
    executableSha256,
    startedAt: own.startedAt ?? "",
  });
}

/** Hashed once per process: a large binary takes a second, and a running one does not change. */
const digests = new Map<string, string>();
const keptDigests = 16;

async function executableDigest(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const key = `${pid} ${stat.slice(stat.lastIndexOf(")")).split(" ")[20] ?? ""}`;
  const known = digests.get(key);
  if (known !== undefined) return known;
  const digest = await sha256Of(`/proc/${pid}/exe`);
  if (digests.size >= keptDigests) digests.clear();
  digests.set(key, digest);
  return digest;
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
