/** Two real servers, the younger following the older by the verbs of a move, and what the coordinator says of either by its facts. */
import { postgresqlFacts } from "#agent/engines/postgresql/facts.ts";
import { postgresqlKind } from "#agent/engines/postgresql/index.ts";
import { leftOversOf } from "#agent/engines/postgresql/left-overs.ts";
import { roleName, subscriptionName } from "#agent/engines/postgresql/names.ts";
import { postgresqlSettings } from "#agent/engines/postgresql/settings.ts";
import type { StepContext, StepResult } from "#agent/verb.ts";
import type { GateInput } from "#coordinator/domain/gate.ts";
import { postgresql } from "#coordinator/playbooks/postgresql.ts";
import { systemClock } from "#proto/common/clock.ts";
import { succeed } from "#proto/common/failure.ts";
import type { NodeReport } from "#proto/common/report.ts";
import type { Major } from "#test/postgres/binaries.ts";
import type { PostgresServer } from "#test/postgres/server.ts";
import { hostOf, rowsOf, run, serverOf } from "./asked-server.ts";

export const rollout = "r1";
export const database = "postgres";
export const subscription = subscriptionName(rollout, "forward", database);

/** A worker that was ended comes again at once, and not after five seconds. */
const eager = { wal_retrieve_retry_interval: "200ms" };
/** Until workers have come, and have worked for as long as the product wants to see. */
const limitMs = 20_000;

type Settings = Readonly<Record<string, string>>;

export async function followedPair(
  [old, young]: readonly [Major, Major],
  tables: readonly string[],
  { ofOld = {} }: { readonly ofOld?: Settings } = {},
) {
  const sides = { old: await sideOf(old, "old1", ofOld), young: await sideOf(young, "new1", eager) };
  for (const { server } of [sides.old, sides.young]) await run(server, database, ...tables);
  await run(sides.old.server, database, `CREATE ROLE ${roleName(rollout, "forward")} LOGIN SUPERUSER`);
  await sides.old.must("publish", forward);
  const at = `127.0.0.1:${sides.old.server.port}`;
  await sides.young.must("subscribe", { ...forward, at, copy: "yes" });
  await follows(sides.young);
  return sides;
}

/** Every table's copy is at its end. */
async function follows({ gate, node }: Awaited<ReturnType<typeof sideOf>>): Promise<void> {
  for (const endMs = Date.now() + limitMs; Date.now() < endMs; await systemClock.sleep(100))
    if ((await gate("copied", { databases: forward.databases }))?.verdict === "pass") return;
  throw new Error(`${node} does not follow`);
}

export const forward = { databases: JSON.stringify([database]), direction: "forward" };

async function sideOf(major: Major, node: string, settings: Settings) {
  const server = await serverOf(major, settings);
  const means = {
    settings: postgresqlSettings.parse({
      host: "127.0.0.1",
      port: server.port,
      user: server.superuser,
      tools: "/tools",
      log: server.logFile,
      passfileFolder: server.folder,
    }),
  };
  const host = hostOf();
  const { verbs } = postgresqlKind.create(means.settings);
  const looking = () => ({ host, signal: AbortSignal.timeout(30_000) });
  /** Ended as by its deadline after so long. */
  const does = async (name: string, given: object = {}, deadlineMs = 30_000): Promise<StepResult> => {
    const verb = verbs.find((each) => each.name === `postgresql.${name}`);
    if (verb === undefined) throw new Error(`no verb ${name}`);
    const parcels = { send: () => Promise.resolve(succeed("")) };
    const context = { host, signal: AbortSignal.timeout(deadlineMs), deadlineMs, rollout, parcels };
    return verb.run(context as unknown as StepContext, verb.args.parse(given));
  };
  const report = async () => {
    const facts = await postgresqlFacts(host, means, { ...looking(), depth: "gate" });
    return { node, facts } as unknown as NodeReport;
  };
  const codes = async () => postgresql.summarise(await report()).findings.map(({ code }) => code);
  return {
    node,
    server,
    does,
    must: async (name: string, given: object) => {
      const result = await does(name, given);
      if (result.result !== "done") throw new Error(`${name}: ${JSON.stringify(result)}`);
    },
    run: (...statements: readonly string[]) => run(server, database, ...statements),
    rows: (query: string) => rowsOf(server, query),
    report,
    leftOvers: (subscriber?: string) => leftOversOf(looking(), means, { rollout, subscriber }),
    /** That nobody but these findings is told of it, within the limit. */
    until: async (wanted: readonly string[]) => {
      let found: readonly string[] = ["nothing was told"];
      for (const endMs = Date.now() + limitMs; Date.now() < endMs; await systemClock.sleep(200)) {
        found = await codes();
        if (found.join() === wanted.join()) return;
      }
      throw new Error(`told: ${found.join(", ") || "none"}, and not: ${wanted.join(", ") || "none"}`);
    },
    /** What a gate says of it. */
    gate: async (name: string, args: Readonly<Record<string, string>>) => {
      const spec = { args, cluster: node };
      const now = { nodes: { [node]: await report() } };
      return postgresql.gates[`postgresql.${name}`]?.({ spec, now } as unknown as GateInput);
    },
  };
}

export async function untilRows(server: PostgresServer, query: string): Promise<void> {
  for (const endMs = Date.now() + limitMs; Date.now() < endMs; await systemClock.sleep(100))
    if ((await rowsOf(server, query)).length > 0) return;
  throw new Error(`in vain: ${query}`);
}
