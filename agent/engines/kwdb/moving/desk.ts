/** What a verb of a move works with: this node's client and MODE, its id in the cluster, and its folder of the rollout. */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Mode } from "#proto/engines/kwdb.ts";
import { folderOf } from "../../../host/marks.ts";
import { failedBy } from "../../../outcome.ts";
import type { Probe, StepContext, StepResult } from "../../../verb.ts";
import { type Row, readTable } from "../answers.ts";
import { type Client, openClient } from "../client.ts";
import { parseRecords } from "../csv.ts";
import type { Means } from "../installation.ts";
import { installationOn } from "../installed.ts";
import { nodeStatus, ownRow } from "../node-status.ts";
import { madeDatabases, openJobs, readDatabases, readJobs } from "../questions.ts";
import { externPath } from "./place.ts";

export interface Desk {
  readonly context: StepContext;
  readonly client: Client;
  readonly mode: Mode;
  /** Of this node, in its cluster. */
  readonly nodeId: number;
  /** Rows of node status: how many share the data. */
  readonly nodes: number;
  /** As the database names a place of this node: `nodelocal://1/lockkeeper-…/what`. */
  url(what: string): string;
  /** The same place on the host. */
  hostPath(what: string): string;
  /** And as the agent sees it. */
  path(what: string): string;
}

export async function openDesk(context: StepContext, means: Means): Promise<Outcome<Desk>> {
  const client = await openClient(await installationOn(context.host, means));
  if (!client.ok) return client;
  const rows = await nodeStatus(client.value);
  if (!rows.ok) return rows;
  const { mode } = client.value;
  const own = ownRow(rows.value, mode);
  if (own === undefined) return fail("kwdb.own-row-missing", { address: mode.address });
  const folder = folderOf(context.rollout);
  const at = (what: string) => externPath(mode, what === "" ? folder : `${folder}/${what}`);
  return succeed({
    context,
    client: client.value,
    mode,
    nodeId: own.id,
    nodes: rows.value.length,
    url: (what) => `nodelocal://${own.id}/${folder}/${what}`,
    hostPath: at,
    path: (what) => context.host.path(at(what)),
  });
}

/** One statement whose answer has a header with these columns, in any order and among others. */
export async function askTable(
  { client }: Pick<Desk, "client">,
  sql: string,
  { columns, at, deadlineMs }: { columns: readonly string[]; at?: string | undefined; deadlineMs?: number },
): Promise<Outcome<readonly Row[]>> {
  return readTable(await client.run(["sql", "-e", sql, "--format=csv"], { at, deadlineMs }), columns);
}

export async function listDatabases({ client }: Pick<Desk, "client">): Promise<Outcome<readonly string[]>> {
  const [rows] = await client.ask([madeDatabases]);
  if (rows === undefined) return fail("kwdb.metrics-missing", {});
  return rows.ok ? readDatabases(rows.value) : rows;
}

/** Jobs of a kind that are not over, by id. */
export async function openJobsOf(
  desk: Pick<Desk, "client">,
  type: string,
): Promise<Outcome<readonly string[]>> {
  const [answer] = await desk.client.ask([openJobs]);
  if (answer === undefined) return fail("kwdb.metrics-missing", {});
  if (!answer.ok) return answer;
  const jobs = readJobs(answer.value);
  return jobs.ok ? succeed(jobs.value.filter((job) => job.type === type).map(({ id }) => id)) : jobs;
}

/** The words of a statement that runs as a tool: it goes on when the agent dies. */
export function statement(desk: Desk, sql: string) {
  return desk.client.command(["sql", "-e", sql, "--format=csv"]);
}

/** The first row of a table in a tool's last words, where its header begins with these names. */
export function rowInTail(tail: string, header: string): Row | undefined {
  const at = tail.lastIndexOf(header);
  if (at < 0) return undefined;
  const [names = [], first] = parseRecords(tail.slice(at));
  return first === undefined
    ? undefined
    : Object.fromEntries(names.map((name, column) => [name ?? "", first[column] ?? null]));
}

/** What the client said when it failed: its error line, not the whole of it. */
export function errorIn(tail: string): string {
  const lines = tail.split("\n").filter((line) => line !== "");
  return (lines.find((line) => line.startsWith("ERROR: ")) ?? lines.at(-1) ?? "it said nothing").slice(
    0,
    500,
  );
}

export async function withDesk(
  context: StepContext,
  means: Means,
  work: (desk: Desk) => Promise<StepResult>,
): Promise<StepResult> {
  const desk = await openDesk(context, means);
  return desk.ok ? work(desk.value) : failedBy(desk.failure);
}

export async function probed(
  context: StepContext,
  means: Means,
  work: (desk: Desk) => Promise<Probe>,
): Promise<Probe> {
  const desk = await openDesk(context, means);
  return desk.ok ? work(desk.value) : { state: "unknown", failure: desk.failure };
}
