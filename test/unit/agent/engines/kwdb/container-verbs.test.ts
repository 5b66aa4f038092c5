/** A container set aside and another in its place: by an agent that dies in between, and where its name is taken by a foreign one. */
import { expect, it } from "vitest";
import { dockerOn } from "#agent/engines/kwdb/docker.ts";
import { repetitionOf, wordsDigest } from "#agent/engines/kwdb/repetition.ts";
import { readSetAside } from "#agent/engines/kwdb/set-aside.ts";
import { render } from "#proto/catalogue/render.ts";
import { FakeEngine } from "./fake-engine.ts";
import { lookOf } from "./fake-host.ts";

const reference = `kwdb@sha256:${"a".repeat(64)}`;
const image = { digest: "d".repeat(64), reference, version: "3.0.1" };
const words = "0".repeat(64);

function withOld() {
  const engine = new FakeEngine({ container: "kwdb" });
  return { engine, old: engine.add("kwdb", "old", { Status: "exited" }) };
}

const policyOf = (container: { readonly HostConfig: Readonly<Record<string, unknown>> }) =>
  (container.HostConfig["RestartPolicy"] as { readonly Name: string }).Name;

it("is set aside also by an agent that died when the engine had renamed it", async () => {
  const { engine, old } = withOld();
  expect(await engine.run("set-aside")).toMatchObject({ result: "done" });
  expect(await engine.again("set-aside")).toMatchObject({ result: "done", outputs: { id: old.Id } });
  expect(engine.ran).toHaveLength(2);
  expect(await engine.probe("set-aside")).toBe("done");
  expect(policyOf(old)).toBe("no");

  expect(await engine.run("bring-back")).toMatchObject({ result: "done" });
  expect(engine.named("kwdb")).toBe(old);
  expect(policyOf(old)).toBe("always");
});

it("is brought back also by an agent that died when the engine had renamed it", async () => {
  const { engine, old } = withOld();
  await engine.run("set-aside");
  const record = await readSetAside(engine.host, "kwdb", "r1");
  expect(record?.id).toBe(old.Id);
  old.Name = "/kwdb";
  expect(await engine.run("bring-back")).toMatchObject({ result: "done" });
  expect(policyOf(old)).toBe("always");
});

it("is not taken for brought back where a foreign container has its name", async () => {
  const { engine, old } = withOld();
  await engine.run("set-aside");
  const foreign = engine.add("kwdb", "theirs");
  const back = await engine.run("bring-back");
  expect(back).toMatchObject({ result: "failed", failure: { code: "kwdb.container-not-renamed" } });
  expect(back.result === "failed" ? render(back.failure).says : "").toContain("Conflict");
  expect(policyOf(foreign)).toBe("always");
  // the record is what a later bring-back goes by
  foreign.Name = "/elsewhere";
  expect(await engine.run("bring-back")).toMatchObject({ result: "done" });
  expect(engine.named("kwdb")).toBe(old);
  expect(policyOf(old)).toBe("always");
});

it("says that the name is taken, and not that the new container has another image", async () => {
  const { engine } = withOld();
  await engine.run("set-aside");
  engine.add("kwdb", "theirs");
  const made = await engine.run("create-container", { ...image, words: await wordsOfOld(engine) });
  expect(made).toMatchObject({ result: "failed", failure: { code: "kwdb.container-not-created" } });
  expect(made.result === "failed" ? made.failure.facts["cause"] : "").toContain("Conflict");
});

it("refuses other words than the plan has shown", async () => {
  const { engine } = withOld();
  await engine.run("set-aside");
  expect(await engine.run("create-container", { ...image, words })).toMatchObject({
    failure: { code: "kwdb.container-changed" },
  });
});

/** Of the set-aside one, as a plan would have shown them. */
async function wordsOfOld(engine: FakeEngine): Promise<string> {
  const record = await readSetAside(engine.host, "kwdb", "r1");
  const old = engine.named(record?.aside ?? "");
  if (old === undefined) throw new Error("none is set aside");
  const restored = {
    ...old,
    Name: "/kwdb",
    HostConfig: { ...old.HostConfig, RestartPolicy: record?.restartPolicy },
  };
  const found = await repetitionOf(dockerOn(engine.host, {}), restored);
  if (!found.ok) throw new Error(JSON.stringify(found.failure));
  return wordsDigest(found.value);
}

it("a compose container that was made and not started is not up", async () => {
  const file = "/srv/docker-compose.yml";
  let id = "";
  const engine = new FakeEngine({ compose: file }, () => lookOf(`${id}\n`));
  const made = engine.add("0123_kwdb", reference);
  id = made.Id;
  expect(await engine.probe("up-container", image)).toBe("not-done");
  made.State.Running = true;
  expect(await engine.probe("up-container", image)).toBe("done");
});

it("compose is not let stop an old container that runs again", async () => {
  let id = "";
  const engine = new FakeEngine({ compose: "/srv/docker-compose.yml" }, () => lookOf(`${id}\n`));
  id = engine.add("kwdb", "old", { Running: true, Pid: 7 }).Id;
  expect(await engine.run("up-container", image)).toMatchObject({
    failure: { code: "kwdb.container-runs" },
  });
  expect(engine.ran).toEqual([]);
});

it("what was kept is let go also by an agent that died in between, and what stays is no success", async () => {
  const { engine } = withOld();
  await engine.run("set-aside");
  const tag = "lockkeeper-kept:db1-3.0.0-to-3.0.1-r1";
  engine.images.add(tag);
  engine.stuck = true;
  expect(await engine.run("forget-kept", { label: "db1-3.0.0-to-3.0.1" })).toMatchObject({
    failure: { code: "kwdb.docker-failed" },
  });
  engine.stuck = false;
  for (const life of ["run", "again"] as const) {
    expect(await engine[life]("forget-kept", { label: "db1-3.0.0-to-3.0.1" })).toMatchObject({
      result: "done",
    });
    expect(engine.containers).toEqual([]);
    expect(engine.images.size).toBe(0);
  }
  expect(await readSetAside(engine.host, "kwdb", "r1")).toBeUndefined();
});

it("is brought back also by an agent that died when it had forgotten why", async () => {
  const { engine } = withOld();
  await engine.run("set-aside");
  await engine.run("bring-back");
  expect(await engine.again("bring-back")).toMatchObject({ result: "done" });
});
