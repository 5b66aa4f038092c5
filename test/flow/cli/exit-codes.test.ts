/**
 * Every exit code of the command line, by real processes on a demo fleet: what scripts of its users hang on. One
 * fleet, in the order of a day's work; each refusal says what, where and what instead, and touches nothing.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer as createTcpServer, type Server as TcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer } from "nice-grpc";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Plan } from "#coordinator/domain/plan.ts";
import type { FleetView, RolloutView } from "#coordinator/domain/views.ts";
import { DemoFleet, toVersion } from "#test/demo/fleet.ts";
import type { Ran } from "#test/demo/processes.ts";
import { demoWords } from "#test/demo/script.ts";
import { bundled } from "../processes/harness/fleet.ts";

const slowMs = 240_000;
const words = [...demoWords, "--reason", "nobody's data"];

let dist = "";
let folder = "";
let fleet: DemoFleet;

beforeAll(async () => {
  dist = await bundled();
  folder = await mkdtemp(join(tmpdir(), "lockkeeper-exit-codes-"));
  fleet = new DemoFleet({ folder, dist, gates: "{ every: 250ms, dwell: 250ms, limit: 2m }" });
  await fleet.start();
}, slowMs);

afterAll(async () => {
  await fleet?.stop();
  for (const each of [folder, dist]) await rm(each, { recursive: true, force: true });
}, slowMs);

const cli = (...args: readonly string[]) => fleet.cli(...args);
const file = (name: string) => join(folder, name);

/** A refusal: its code, nothing on stdout, words on stderr. */
function expectRefusal({ code, stdout, stderr }: Ran, wanted: number, says: RegExp): void {
  expect(stderr).toMatch(says);
  expect(stdout).toBe("");
  expect(code).toBe(wanted);
}

async function elsewhere(address: string, ...args: readonly string[]): Promise<Ran> {
  return run(["--coordinator", address], args).ended;
}

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ran>;
  /** Resolves when the output so far matches. */
  until(pattern: RegExp): Promise<void>;
}

function run(where: readonly string[], args: readonly string[]): Running {
  const child = spawn(process.execPath, [join(dist, "lockkeeper"), ...args, ...where], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString("utf8")));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString("utf8")));
  const ended = new Promise<Ran>((resolve) =>
    child.on("close", (code) => resolve({ code: code ?? 1, stdout, stderr })),
  );
  return {
    child,
    ended,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => pattern.test(stdout) && resolve();
        child.stdout.on("data", look);
        child.on("close", () => reject(new Error(`it ended first: ${stdout}${stderr}`)));
        look();
      }),
  };
}

async function tcp(answer: string): Promise<{ readonly address: string; readonly server: TcpServer }> {
  const server = createTcpServer((socket) => {
    socket.on("error", () => undefined);
    socket.end(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const bound = server.address();
  return { server, address: `127.0.0.1:${typeof bound === "object" ? bound?.port : 0}` };
}

async function plan(name: string): Promise<string> {
  const made = await cli(
    "plan",
    "billing",
    "--to",
    toVersion,
    "--artefact",
    fleet.newPackage?.tarball ?? "",
    "-o",
    file(name),
  );
  expect(made.stderr).toContain("next: lockkeeper apply");
  expect(made.code).toBe(0);
  return file(name);
}

async function rollout(): Promise<RolloutView> {
  return JSON.parse((await cli("status", "billing", "-o", "json")).stdout) as RolloutView;
}

async function inventory(change: (text: string) => string): Promise<string> {
  const text = await readFile(file("fleet.yaml"), "utf8");
  await writeFile(file("changed.yaml"), change(text));
  return file("changed.yaml");
}

describe("exit codes", () => {
  it("0: done", async () => {
    expect(await run([], ["version"]).ended).toMatchObject({ code: 0, stdout: "0.1.0\n", stderr: "" });
    expect(await cli("node", "list")).toMatchObject({ code: 0 });
    expect(await cli("apply", "--help")).toMatchObject({ code: 0, stderr: "" });
  });

  it("1: something answers that is no coordinator", async () => {
    const server = createServer();
    const port = await server.listen("127.0.0.1:0");
    expectRefusal(await elsewhere(`127.0.0.1:${port}`, "lock", "list"), 1, /coordinator at .* failed/);
    server.forceShutdown();
  });

  it.each<readonly [readonly string[], RegExp]>([
    [["plna"], /unknown command 'plna'\n\(Did you mean plan\?\)/],
    [["check", "billing", "--too", "3"], /unknown option '--too'\n\(Did you mean --to\?\)/],
    [["check", "billing"], /billing: to which version\?\n {2}next: add --to VERSION/],
    [["history", "biling"], /no cluster biling.*\n.*did you mean billing\?/],
    [["check"], /missing required argument 'cluster'/],
    [["node", "list", "-o", "yaml"], /Allowed: table, json, ndjson/],
    [["history", "--limit", "few"], /a whole number from 1/],
    [["plan", "billing", "--to", "3.1.0", "--strategy", "fast"], /Allowed choices are rolling, offline/],
    [["cluster", "show", "biling"], /no cluster biling.*\n.*did you mean billing\?/],
    [["node", "show", "bd1"], /no node bd1.*\n.*did you mean db1\?/],
    [["status", "nobody"], /no rollout or cluster nobody/],
    [["status", "billing"], /billing has had no rollout yet/],
    [["snapshot", "show", "s-1"], /no snapshot s-1\n {2}next: lockkeeper snapshot list/],
    [["apply", "/nowhere/plan.json", "-y"], /\/nowhere\/plan\.json cannot be read/],
    [["apply", "PLAN", "-y", "--ack", "kwdb.backup"], /needs a reason; nothing was done/],
    [["apply", "PLAN", "-y", "--override", "kwdb.clock", "--reason", "r"], /needs an end; nothing was done/],
    [["lock", "break", "billing"], /required option '--reason <text>'/],
    [
      ["plan", "billing", "--to", "3.1.0", "--artefact", "nothing.tar.gz"],
      /neither a file here nor the name/,
    ],
  ])("2: lockkeeper %j", async (args, says) => {
    const known = args.includes("PLAN") ? await plan("usage.json") : "";
    expectRefusal(await cli(...args.map((each) => (each === "PLAN" ? known : each))), 2, says);
  });

  it.each<readonly [string, (text: string) => string, RegExp]>([
    [
      "a node declared twice",
      (text) => text.replace("db2:", "db1:"),
      /changed\.yaml:\d+:\d+: this name stands here twice/,
    ],
    [
      "a key that nobody knows",
      (text) => text.replace("gates:", "gate:"),
      /changed\.yaml:5:5: there is no setting "gate" here/,
    ],
    ["text that is no YAML", (text) => text.replace("clusters:", "clusters: ["), /changed\.yaml:\d+:\d+: \S/],
  ])("2: an inventory with %s is refused with its place", async (_, change, says) => {
    const changed = await inventory(change);
    expectRefusal(await cli("cluster", "apply", changed), 2, says);
    expect((await cli("cluster", "diff", file("fleet.yaml"))).code).toBe(0);
  });

  it("3: a check refuses, and so does a plan that was edited; nothing is touched", async () => {
    const checked = await cli("check", "billing", "--to", toVersion, "-o", "json");
    expect(checked.code).toBe(3);
    expect(JSON.parse(checked.stdout)).toContainEqual(
      expect.objectContaining({ id: "kwdb.package-given", status: "ko" }),
    );
    expectRefusal(await cli("plan", "billing", "--to", "3.0.0"), 3, /already runs 3\.0\.0/);
    const unnamed = await cli("plan", "billing", "--to", toVersion);
    expect(unnamed.stdout).toMatch(/--strategy rolling --method script .*taken[\s\S]*--strategy offline/);
    expectRefusal({ ...unnamed, stdout: "" }, 3, /the package of 3\.1\.0 is not named/);
    const chosen = await cli("plan", "billing", "--to", toVersion, "--strategy", "offline");
    expectRefusal(chosen, 3, /the package of 3\.1\.0 is not named/);
    const made = await plan("good.json");
    expectRefusal(await cli("apply", made, "-y"), 3, /checks refuse, nothing was touched: .*kwdb\.backup/);
    const edited = JSON.parse(await readFile(made, "utf8")) as { stages: Plan["stages"][number][] };
    edited.stages.splice(1, 1);
    await writeFile(file("edited.json"), JSON.stringify(edited));
    expectRefusal(
      await cli("apply", file("edited.json"), "-y", ...words),
      3,
      /it was edited; nothing was done/,
    );
    expect((await cli("history", "-o", "json")).stdout.trim()).toBe("[]");
  });

  it("3: a package whose digest is not the one that was told is not even sent", async () => {
    await writeFile(file("other.tar.gz"), "something else");
    const refused = await cli(
      "plan",
      "billing",
      "--to",
      toVersion,
      "--artefact",
      file("other.tar.gz"),
      "--sha256",
      fleet.newPackage?.sha256 ?? "",
    );
    expectRefusal(refused, 3, /has digest [0-9a-f]{64}, not/);
    expect((await cli("artefact", "list")).stdout).not.toContain("other.tar.gz");
  });

  it("4: a node whose agent is away", async () => {
    const made = await plan("away.json");
    const [host] = fleet.hosts.slice(2);
    await fleet.stopAgent("db3");
    const checked = await cli("check", "billing", "--to", toVersion);
    expect(checked.stdout).toMatch(/db3: its agent reports \.+ UNKNOWN/);
    expect(checked.code).toBe(4);
    expectRefusal(await cli("plan", "billing", "--to", toVersion), 4, /no agent is attached for db3/);
    expectRefusal(await cli("apply", made, "-y", ...words), 4, /no agent is attached for db3/);
    expect((await cli("why", "db3")).stdout).toMatch(/no agent is attached for db3/);
    if (host !== undefined) await fleet.startAgent(host);
    await fleet.untilAttached();
  });

  it("9: what was planned on has changed since; the difference is named", async () => {
    const made = await plan("stale.json");
    const changed = fleet.hosts[1]?.path("/etc/kaiwudb/script/kaiwudb_env") ?? "";
    const before = await readFile(changed, "utf8");
    await appendFile(changed, "# a hand was here\n");
    expectRefusal(
      await cli("apply", made, "-y", ...words),
      9,
      /not as planned: node\.db2\.configuration: planned/,
    );
    await writeFile(changed, before);
  });

  it("10: a difference, of inventories and of snapshots", async () => {
    const frozen = await inventory((text) =>
      text.replace("    gates:", "    freeze: stock-taking\n    gates:"),
    );
    const differs = await cli("cluster", "diff", frozen);
    expect(differs.stdout).toMatch(/~ billing · freeze: \(none\) → stock-taking\nnothing was changed/);
    expect(differs.code).toBe(10);
    expect((await cli("cluster", "diff", file("fleet.yaml"))).code).toBe(0);
    const taken = async () =>
      (JSON.parse((await cli("snapshot", "take", "-o", "json")).stdout) as { readonly id: string }).id;
    const [one, two] = [await taken(), await taken()];
    expect(await cli("snapshot", "diff", one, two)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^no difference/),
    });
    expect((await cli("snapshot", "diff", one, two, "--volatile")).code).toBe(10);
  });

  it("11: nobody answers, or nobody who speaks the language", async () => {
    expectRefusal(
      await elsewhere("127.0.0.1:1", "lock", "list"),
      11,
      /no coordinator answers at 127\.0\.0\.1:1/,
    );
    for (const answer of ["HTTP/1.1 200 OK\r\n\r\nhello", "\u0000\u0001garbage\u00ff"]) {
      const { address, server } = await tcp(answer);
      expectRefusal(await elsewhere(address, "lock", "list"), 11, /no coordinator answers/);
      server.close();
    }
  });

  it(
    "7: a freeze lets nothing begin; the one who waits is told and let go",
    async () => {
      const made = await plan("frozen.json");
      const frozen = await inventory((text) =>
        text.replace("    gates:", "    freeze: stock-taking\n    gates:"),
      );
      expect((await cli("cluster", "apply", frozen)).code).toBe(0);
      const applied = await cli("apply", made, "-y", ...words);
      expect(applied.stdout).toMatch(/waits: billing is frozen: stock-taking/);
      expect(applied.code).toBe(7);
      expect((await cli("why", "billing")).stdout).toContain("stock-taking");
      expect((await cli("abort", "billing")).code).toBe(5);
      expect((await cli("cluster", "apply", file("fleet.yaml"))).code).toBe(0);
    },
    slowMs,
  );

  it(
    "8, 6 and 130: waiting for approval, held by another, and Ctrl-C while it goes on",
    async () => {
      const made = await plan("approved.json");
      const applied = await cli("apply", made, "-y", "--approve-each", ...words);
      expect(applied.stdout).toMatch(/node-db1 waits for a person to approve it/);
      expect(applied.code).toBe(8);
      const { id } = await rollout();
      expectRefusal(
        await cli("apply", made, "-y", ...words),
        6,
        new RegExp(`claimed by rollout ${id}, begun by`),
      );

      const approving = run(["--coordinator", fleet.address], ["approve", "billing"]);
      await approving.until(/lock granted for db1/);
      approving.child.kill("SIGINT");
      const left = await approving.ended;
      expect(left.stderr).toContain(`detached; the rollout goes on. Again: lockkeeper watch ${id}`);
      expect(left.code).toBe(130);
      expect((await rollout()).phase).toBe("running");
      const watched = await cli("watch", "billing");
      expect(watched.stdout).toMatch(/node-db1: done/);
      expect(watched.code).toBe(8);
      const back = await cli("plan", "--back", "billing");
      expectRefusal(back, 3, /nobody knows the package of 3\.0\.0/);
    },
    slowMs,
  );

  it(
    "5: a node that does not come back stops the rollout, and the next command is told",
    async () => {
      await fleet.hosts[1]?.faults({ die_after_ms: "300" });
      const stopped = await cli("approve", "billing");
      expect(stopped.stdout).toMatch(/STOPPED at node-db2 on db2/);
      expect(stopped.code).toBe(5);
      expect((await cli("why", "billing")).stdout).toMatch(/command: lockkeeper retry \S+ -n db2/);
      expect((await cli("watch")).code).toBe(5);
    },
    slowMs,
  );

  it(
    "0: it is mended, a node is skipped, and the end says which one is left at which version",
    async () => {
      await fleet.hosts[1]?.faults({});
      expect((await cli("retry", "billing", "-n", "db2")).code).toBe(8);
      const ended = await cli("skip", "billing", "-n", "db3", "--reason", "replaced on Friday");
      const left = "not seen yet: db3 at 3.1.0: it was skipped and is left at 3.0.0";
      expect(ended.stdout).toContain(`finished; ${left}`);
      expect(ended.code).toBe(0);
      expect((await cli("status", "billing")).stdout).toContain(left);
      const { clusters } = JSON.parse((await cli("node", "list", "-o", "json")).stdout) as FleetView;
      expect(clusters[0]?.nodes.map(({ version }) => version)).toEqual([toVersion, toVersion, "3.0.0"]);
    },
    slowMs,
  );
});
