/**
 * What this node says of itself, at three depths, asked in parallel. Every value is measured, or UNKNOWN with its
 * reason: one that is late or fails leaves the others standing.
 */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { KwdbFull, KwdbGate, KwdbPulse, NodeRow } from "#proto/engines/kwdb.ts";
import type { Depth, Host } from "../../verb.ts";
import { type Take, takeUntil } from "../measure.ts";
import type { Question, Row } from "./answers.ts";
import { archiveFacts } from "./archive-facts.ts";
import type { ArchiveRate } from "./archive-rate.ts";
import { type Client, openClient } from "./client.ts";
import { compiledFacts } from "./compiled-facts.ts";
import { hostFacts } from "./host-facts.ts";
import type { Installation, Means, Running } from "./installation.ts";
import { installationOn } from "./installed.ts";
import { isReady } from "./looks.ts";
import { nodeStatus, ownRow, withMarks } from "./node-status.ts";
import {
  clusterSettings,
  gossipFlags,
  madeDatabases,
  openJobs,
  openSessions,
  rangeSums,
  readDatabases,
  readJobs,
  readRangeSums,
  readSessions,
  readSettings,
  readSpread,
  storeSpread,
} from "./questions.ts";
import { normal } from "./version-text.ts";

export interface FactsMeans extends Means {
  readonly rate: ArchiveRate;
}

/** In time for the coordinator's own limits: 10 s for a gate's sample, 30 s for a survey. */
const askMs = { gate: 8_000, full: 20_000 } as const;

export async function kwdbFacts(
  host: Host,
  means: FactsMeans,
  { depth, signal }: { readonly depth: Depth; readonly signal: AbortSignal },
): Promise<KwdbPulse | KwdbGate | KwdbFull> {
  const take = takeUntil(host, signal);
  const here = await installationOn(host, means);
  const pulse = pulseFacts(here, take);
  if (depth === "pulse") return pulse;
  const client = openClient(here);
  if (depth === "gate") {
    const asked = askTogether(client, [gossipFlags, rangeSums, openJobs], askMs.gate);
    return { ...(await pulse), ...(await gateFacts(here, { take, client, asked })) };
  }
  // what needs no quorum comes first: a question that blocks keeps those after it from being answered
  const questions = [
    gossipFlags,
    openSessions,
    clusterSettings,
    rangeSums,
    openJobs,
    storeSpread,
    madeDatabases,
  ];
  const asked = askTogether(client, questions, askMs.full);
  const gate = gateFacts(here, { take, client, asked });
  const cluster = clusterFacts(take, asked);
  const ofHost = hostFacts(here, take);
  const ofBuild = compiledFacts(host, means, take);
  const archives = archiveFacts(here, means, { take, signal });
  return {
    ...(await pulse),
    ...(await gate),
    ...(await cluster),
    ...(await ofHost),
    ...(await archives),
    ...(await ofBuild),
  };
}

async function pulseFacts(here: Installation, take: Take): Promise<KwdbPulse> {
  const [versionFile, unit, ready] = await Promise.all([
    take(() => here.versionFile()),
    take(() => here.service()),
    take(() => isReady(here)),
  ]);
  return { versionFile, unit, ready };
}

type Asked = (question: Question) => Promise<Outcome<readonly Row[]>>;

interface Asking {
  readonly take: Take;
  readonly client: Promise<Outcome<Client>>;
  readonly asked: Asked;
}

/** All questions in one run of the client, handed out one by one. */
function askTogether(
  client: Promise<Outcome<Client>>,
  questions: readonly Question[],
  deadlineMs: number,
): Asked {
  const answers = client.then(
    async (open): Promise<Outcome<readonly Outcome<readonly Row[]>[]>> =>
      open.ok ? succeed(await open.value.ask(questions, { deadlineMs })) : open,
  );
  return async (question) => {
    const found = await answers;
    if (!found.ok) return found;
    return found.value[questions.indexOf(question)] ?? fail("measure.never-taken", {});
  };
}

async function gateFacts(
  here: Installation,
  { take, client, asked }: Asking,
): Promise<Pick<KwdbGate, "nodes" | "ranges" | "jobs" | "running">> {
  const rows = readNodes(client, asked);
  const [nodes, ranges, jobs, running] = await Promise.all([
    take(() => rows),
    take(() => readWith(asked(rangeSums), readRangeSums)),
    take(() => readWith(asked(openJobs), readJobs)),
    take(() => readRunning(here, { client, rows })),
  ]);
  return { nodes, ranges, jobs, running };
}

async function readNodes(client: Promise<Outcome<Client>>, asked: Asked): Promise<Outcome<NodeRow[]>> {
  const open = await client;
  if (!open.ok) return open;
  const [status, marks] = await Promise.all([
    nodeStatus(open.value, { deadlineMs: askMs.gate }),
    asked(gossipFlags),
  ]);
  if (!status.ok) return status;
  return marks.ok ? succeed(withMarks(status.value, marks.value)) : marks;
}

async function readWith<T>(
  answer: Promise<Outcome<readonly Row[]>>,
  read: (rows: readonly Row[]) => Outcome<T>,
): Promise<Outcome<T>> {
  const rows = await answer;
  return rows.ok ? read(rows.value) : rows;
}

/** The process that runs, by itself, and its version by its own row where it does not tell. */
export async function readRunning(
  here: Installation,
  {
    client,
    rows,
  }: { readonly client: Promise<Outcome<Client>>; readonly rows: Promise<Outcome<readonly NodeRow[]>> },
): Promise<Outcome<Running>> {
  return here.running(async () => {
    const [open, listed] = await Promise.all([client, rows]);
    if (!open.ok) return open;
    if (!listed.ok) return listed;
    const own = ownRow(listed.value, open.value.mode);
    return own === undefined || own.build === null
      ? fail("kwdb.own-row-missing", { address: open.value.mode.address })
      : succeed(normal(own.build));
  });
}

async function clusterFacts(
  take: Take,
  asked: Asked,
): Promise<Pick<KwdbFull, "settings" | "spread" | "sessions" | "databases">> {
  const [settings, spread, sessions, databases] = await Promise.all([
    take(() => readWith(asked(clusterSettings), readSettings)),
    take(() => readWith(asked(storeSpread), readSpread)),
    take(() => readWith(asked(openSessions), readSessions)),
    take(() => readWith(asked(madeDatabases), readDatabases)),
  ]);
  return { settings, spread, sessions, databases };
}
