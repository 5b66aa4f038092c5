/** What the demo of PostgreSQL types, and what it says in between. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { newestSnapshot, tell, type } from "../typing.ts";
import { Application } from "./application.ts";
import { type Node, type PostgresDemo, sides } from "./fleet.ts";

const { old1, new1 } = sides;
/** A rollout waits for a person. */
const waits = 8;

/** Plays to the end; `back`: with the way back after the cut-over. Resolves with the exit code. */
export async function play(demo: PostgresDemo, { back }: { readonly back: boolean }): Promise<number> {
  const application = await Application.begin(demo);
  try {
    return await (back ? thereAndBack(demo, application) : there(demo, application));
  } finally {
    await application.stop();
  }
}

async function there(demo: PostgresDemo, application: Application): Promise<number> {
  const before = await begin(demo);
  const ended = await cutOver(demo, application);
  if (ended !== 0) return ended;
  tell(
    "The application is well on the new server. The old one is let go; what the move made is removed from both:",
  );
  const finished = await type(demo, "approve", old1.cluster);
  if (finished !== 0) return finished;
  await after(demo, before);
  return proven(application, "new1");
}

async function thereAndBack(demo: PostgresDemo, application: Application): Promise<number> {
  const before = await begin(demo);
  const ended = await cutOver(demo, application);
  if (ended !== 0) return ended;
  tell(
    "Suppose that the application does not bear the new version. Back, with the rows that the new server has taken:",
  );
  if ((await type(demo, "plan", "--back", old1.cluster, "-o", "back.json")) !== 0) return 1;
  const returned = await type(demo, "apply", "back.json", "-y", ...(await words(demo, "back.json")));
  if (returned !== 0) return returned;
  await application.writesOn(30);
  tellPause(application, new1.major, old1.major);
  await after(demo, before);
  return proven(application, "old1");
}

async function begin(demo: PostgresDemo): Promise<string> {
  console.log(`Two PostgreSQL servers run on this machine, each with an agent of its own: ${old1.major} and ${new1.major}, as cluster
${old1.cluster} and cluster ${new1.cluster}; one coordinator, one NATS. The old one has a database, shop, and an application
that writes a row every 20 ms, from now to the end. The gates' dwell and sampling are shortened.`);
  await type(demo, "node", "list");
  await type(demo, "snapshot", "take", "--reason", "before the demo");
  return newestSnapshot(demo);
}

/** Everything up to the moment at which the application writes to the new server. */
async function cutOver(demo: PostgresDemo, application: Application): Promise<number> {
  const target = [old1.cluster, "--to", String(new1.major), "--into", new1.cluster];
  await type(demo, "check", ...target);
  if ((await type(demo, "plan", ...target, "-o", "plan.json")) !== 0) return 1;
  const copied = await type(demo, "apply", "plan.json", "-y", ...(await words(demo, "plan.json")));
  if (copied !== waits) return copied || 1;
  tell(
    "All rows are there, and the application still writes to the old server. Now writes go to the new one:",
  );
  await application.writesOn(10);
  const opened = await type(demo, "approve", old1.cluster);
  if (opened !== waits) return opened || 1;
  await application.writesOn(30);
  tellPause(application, old1.major, new1.major);
  console.log(
    `Numbers of invoices go up by 3; the last on the old server was 43. ${await invoice(application, "new1")}`,
  );
  return 0;
}

/** What only a person can know: of the demo's data it is known here. */
async function words({ place }: PostgresDemo, file: string): Promise<readonly string[]> {
  const { asks } = JSON.parse(await readFile(path.join(place.folder, file), "utf8")) as {
    readonly asks: readonly string[];
  };
  return asks.length === 0
    ? []
    : [...asks.flatMap((check) => ["--ack", check]), "--reason", "demo data: worth nothing"];
}

function tellPause(application: Application, from: number, to: number): void {
  tell(
    `The application: from its last row on PostgreSQL ${from} to its first on ${to}, ${application.lastChangeMs()} ms passed.`,
  );
}

async function after(demo: PostgresDemo, before: string): Promise<void> {
  tell("Before and after, side by side:");
  await type(demo, "snapshot", "take", "--reason", "after the demo");
  await type(demo, "snapshot", "diff", before, await newestSnapshot(demo));
  await type(demo, "node", "list");
}

async function proven(application: Application, node: Node): Promise<number> {
  const { lines, holds } = await application.proof(node);
  tell(`Every row that the application was promised, looked for on PostgreSQL ${sides[node].major}:`);
  for (const line of lines) console.log(`  ${line}`);
  console.log(await invoice(application, node));
  return holds ? 0 : 1;
}

async function invoice(application: Application, node: Node): Promise<string> {
  return `The next invoice on PostgreSQL ${sides[node].major} is ${await application.nextInvoice(node)}.`;
}
