/** A build from source put back, on real processes: proven before the stop, exchanged, started as it was, and each half state. */
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type BuiltProgram, hasCompiler } from "#test/doubles/kwdb/build-program.ts";
import { Bench } from "../../kwdb-double/fixture.ts";
import { buildOf, type CompiledNode, compiledNode, folder, secret } from "./compiled-node.ts";

const canBuild = await hasCompiler();
const suite = canBuild ? describe : describe.skip;

suite(`the way back of a build from source${canBuild ? "" : ": needs a C compiler"}`, () => {
  const bench = new Bench();
  let old: BuiltProgram;
  let next: BuiltProgram;
  let node: CompiledNode | undefined;
  beforeAll(async () => {
    old = await buildOf(bench, "3.0.0");
    next = await buildOf(bench, "3.1.0");
  });
  afterEach(() => node?.end());
  afterAll(() => bench.end());

  const given = { of: "r1", version: "3.0.0", from: "3.1.0" };

  /** Upgraded by r1 to its end, stopped, and r2 begun. */
  async function upgraded(): Promise<CompiledNode> {
    node = await compiledNode(bench, old);
    const { agent } = node;
    agent.artefacts.set(next.sha256, next.tarball);
    await node.start();
    const exchange = { digest: next.sha256, from: "3.0.0" };
    for (const [name, args] of [
      ["save-configuration", { label: "a" }],
      ["stage-build", { digest: next.sha256, version: "3.1.0" }],
      ["keep-start", {}],
      ["lay-build", exchange],
      ["stop", {}],
      ["exchange-build", exchange],
      ["start-build", exchange],
    ] as const)
      expect(await agent.outcome(name, args), name).toBe("done");
    agent.rollout = "r2";
    return node;
  }

  async function stopped(): Promise<CompiledNode> {
    const here = await upgraded();
    for (const name of ["keep-start", "stop"]) expect(await here.agent.outcome(name), name).toBe("done");
    return here;
  }

  const folders = ({ host }: CompiledNode) => readdirSync(host.path("/opt")).sort();
  const both = ["kwdb", "kwdb.kept-3.1.0-r2"];
  const before = ["kwdb", "kwdb.kept-3.0.0-r1"];

  it("is told in the facts, proven, exchanged, and started as it was before the upgrade", async () => {
    const here = await upgraded();
    const { agent } = here;
    expect((await agent.fullFacts()).build).toMatchObject({
      value: { kept: [expect.stringMatching(/kept-3\.0\.0-r1$/)], recorded: ["r1"] },
    });
    expect(await agent.outcome("prove-kept-build", given)).toBe("done");
    // without unit and certificates the copy of the configuration is not an empty one
    expect(await agent.outcome("prove-saved", { label: "a", rollout: "r1" })).toBe("done");
    expect(await agent.outcome("put-build-back", given)).toBe("kwdb.exchange-of-running");
    for (const name of ["keep-start", "stop"]) expect(await agent.outcome(name)).toBe("done");
    expect(await agent.probe("put-build-back", given)).toEqual({ state: "not-done" });
    expect(await agent.outcome("put-build-back", given)).toBe("done");
    expect(await agent.probe("put-build-back", given)).toMatchObject({ state: "done" });
    expect(folders(here)).toEqual(both);
    expect(await agent.outcome("restore-start", { of: "r1" })).toBe("done");
    expect(await agent.outcome("restore-configuration", { label: "a", rollout: "r1" })).toBe("done");
    expect(await agent.outcome("prove-build-back", given)).toBe("done");
    expect(await agent.outcome("start")).toBe("done");
    expect(await agent.outcome("prove-running-back", given)).toBe("done");
    const ready = { version: "3.0.0", waitMs: "20000", stableMs: "300" };
    expect(await agent.outcome("prove-ready", ready)).toBe("done");
    expect(readFileSync(`/proc/${await here.pid()}/environ`, "utf8").split("\0")).toContain(
      `SECRET=${secret} $x "y"`,
    );
  });

  it("makes the start of that rollout again, not the one that came since; and the undo makes that one again", async () => {
    const here = await stopped();
    const { agent } = here;
    const kept = path.join(agent.stateDir, "program/start.json");
    const now = readFileSync(kept, "utf8");
    const since = JSON.parse(now) as { start: { environment: string[] } };
    since.start.environment.push("SINCE=1");
    writeFileSync(kept, JSON.stringify(since));
    expect(await agent.outcome("keep-start")).toBe("done");
    expect(await agent.probe("restore-start", { of: "r1" })).toEqual({ state: "not-done" });
    expect(await agent.outcome("restore-start", { of: "r1" })).toBe("done");
    expect(readFileSync(kept, "utf8")).not.toContain("SINCE=1");
    expect(await agent.probe("restore-start", { of: "r1" })).toMatchObject({ state: "done" });
    expect(await agent.outcome("restore-start", { of: "" })).toBe("done");
    expect(readFileSync(kept, "utf8")).toContain("SINCE=1");
  });

  it("goes on from between the two renames, and is undone from there and from its end", async () => {
    const here = await stopped();
    const { agent, host } = here;
    const at = host.path(folder);
    renameSync(at, `${at}.kept-3.1.0-r2`);
    expect(await agent.probe("put-build-back", given)).toEqual({ state: "not-done" });
    expect(await agent.outcome("put-build-back", given)).toBe("done");
    expect(folders(here)).toEqual(both);
    expect(await agent.outcome("put-build-aside", given)).toBe("done");
    expect(folders(here)).toEqual(before);
    expect(await agent.probe("put-build-aside", given)).toMatchObject({ state: "done" });
    renameSync(at, `${at}.kept-3.1.0-r2`);
    expect(await agent.outcome("put-build-aside", given)).toBe("done");
    expect(folders(here)).toEqual(before);
    expect((await agent.fullFacts()).binary).toMatchObject({ value: { version: "3.1.0" } });
  });

  it("takes an upgrade's own half state back: the old build aside, none in its place", async () => {
    const here = await stopped();
    const { agent, host } = here;
    rmSync(host.path(folder), { recursive: true });
    expect(await agent.outcome("prove-kept-build", given)).toBe("done");
    expect(await agent.outcome("put-build-back", given)).toBe("done");
    expect(folders(here)).toEqual(["kwdb"]);
    expect(await agent.outcome("prove-build-back", given)).toBe("done");
  });

  it("is not taken from a build that was changed since it was put aside, nor where it is gone", async () => {
    const here = await stopped();
    const { agent, host } = here;
    const kept = host.path(`${folder}.kept-3.0.0-r1`);
    appendFileSync(`${kept}/lib/kwbase.js`, "//");
    for (const verb of ["prove-kept-build", "put-build-back"])
      expect(await agent.run(verb, given)).toMatchObject({
        failure: { code: "kwdb.build-not-whole", facts: { file: "lib/kwbase.js", why: "changed" } },
      });
    expect(folders(here)).toEqual(before);
    renameSync(kept, `${kept}.elsewhere`);
    for (const verb of ["prove-kept-build", "put-build-back"])
      expect(await agent.outcome(verb, given)).toBe("kwdb.build-strange");
    expect(await agent.probe("put-build-back", given)).toMatchObject({ state: "unknown" });
    rmSync(host.path(folder), { recursive: true });
    expect(await agent.outcome("prove-kept-build", given)).toBe("kwdb.build-gone");
  });

  it("is of the rollout that one goes back from, of that version, and of this program", async () => {
    const { agent } = await stopped();
    expect(await agent.outcome("prove-kept-build", { ...given, of: "r7" })).toBe("kwdb.build-not-recorded");
    expect(await agent.outcome("prove-kept-build", { ...given, version: "2.2.0" })).toBe(
      "kwdb.build-version",
    );
    const record = path.join(agent.stateDir, "program/kept-r1.json");
    const text = readFileSync(record, "utf8");
    writeFileSync(record, text.replace('"rollout":"r1"', '"rollout":"r9"'));
    expect(await agent.outcome("prove-kept-build", given)).toBe("kwdb.build-not-recorded");
    writeFileSync(record, text.replace(`"folder":"${folder}"`, '"folder":"/opt/other"'));
    for (const verb of ["prove-kept-build", "put-build-back"])
      expect(await agent.outcome(verb, given)).toBe("kwdb.start-of-other");
    expect(await agent.outcome("restore-start", { of: "r1" })).toBe("kwdb.start-of-other");
  });

  it("recorded before the upgrade, is not recorded anew by a later try of it", async () => {
    const here = await upgraded();
    const { agent } = here;
    const record = path.join(agent.stateDir, "program/kept-r1.json");
    const text = readFileSync(record, "utf8");
    agent.rollout = "r1";
    agent.begunBefore = "irreversible";
    expect(await agent.outcome("keep-start")).toBe("done");
    expect(readFileSync(record, "utf8")).toBe(text);
    agent.begunBefore = "nothing";
    agent.rollout = "r2";
    expect(existsSync(path.join(agent.stateDir, "program/kept-r2.json"))).toBe(false);
  });
});
