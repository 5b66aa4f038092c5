/** Whether passwords and verifiers of a move stay where they belong. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { expect } from "vitest";
import type { Node, PostgresFleet } from "./postgres-fleet.ts";
import type { ProcessList } from "./process-list.ts";

const nodes = ["old1", "new1"] as const;
/** Verifiers, and the password of the tests' application. */
const always = "SCRAM-SHA-256\\$[0-9]+:|a secret";

/** Of the connection by which this server reads from the other one. */
export async function passwordOn(fleet: PostgresFleet, node: Node): Promise<string> {
  const { folder } = fleet.server(node);
  const [file = ""] = (await readdir(folder)).filter((name) => /^\.lockkeeper_.*pgpass$/.test(name));
  const password = /:([^:\n]{20,})\n$/.exec(await readFile(join(folder, file), "utf8"))?.[1];
  if (password === undefined) throw new Error(`no password on ${node}`);
  return password;
}

function logsOf(fleet: PostgresFleet): readonly string[] {
  return nodes.map((node) => fleet.server(node).logFile);
}

/** Of coordinator, NATS and agents, and the servers' logs. */
async function filesThatHold(fleet: PostgresFleet, pattern: string): Promise<readonly string[]> {
  const logs = logsOf(fleet);
  const words = ["-rlaE", "-f", "-", "--", fleet.folder, ...logs];
  const found = await execa("grep", words, { input: pattern, reject: false });
  return found.stdout.split("\n").filter((line) => line !== "");
}

/** Neither in a file nor, while all of it went on, in a command line. */
export async function secretsAreKept(
  fleet: PostgresFleet,
  processes: ProcessList | undefined,
  passwords: readonly string[] = [],
): Promise<void> {
  const ran = (await processes?.stop()) ?? [];
  const pattern = [always, ...passwords].join("|");
  // what is looked at is there, and can be read
  expect(ran.filter((line) => /\/(pg_dump|pg_dumpall|psql) /.test(line))).not.toEqual([]);
  expect(await filesThatHold(fleet, "prove-fenced-still")).toContainEqual(
    expect.stringContaining(join(fleet.folder, "coordinator/")),
  );
  // of servers that log each statement of others
  expect(await filesThatHold(fleet, "statement: |execute ")).toEqual(
    expect.arrayContaining([...logsOf(fleet)]),
  );
  expect(ran.filter((line) => new RegExp(pattern).test(line))).toEqual([]);
  expect(await filesThatHold(fleet, pattern)).toEqual([]);
}
