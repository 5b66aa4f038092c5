/** A container set aside and another in its place: by an agent that dies in between, by an engine that does not obey, and where its name is taken by a foreign one. */
import { expect, it } from "vitest";
import { readSetAside } from "#agent/engines/kwdb/set-aside.ts";
import { render } from "#proto/catalogue/render.ts";
import { containerAgent, namesIn, newImage, wordsOf } from "./container-agent.ts";

const aside = "kwdb-before-r1";

/** With the old container, which keeps its identity under whatever name. */
function withOld() {
  const of = containerAgent();
  const old = of.docker.containers.get("kwdb");
  if (old === undefined) throw new Error("no container");
  return { of, old };
}

it("is set aside also by an agent that died when the engine had renamed it", async () => {
  const { of, old } = withOld();
  expect(await of.run("set-aside")).toMatchObject({ result: "done" });
  expect(await of.again("set-aside")).toMatchObject({ result: "done", outputs: { id: old.id } });
  expect(of.docker.asked).toHaveLength(2);
  expect(await of.probe("set-aside")).toBe("done");
  expect(old.restart).toBe("no");

  expect(await of.run("bring-back")).toMatchObject({ result: "done" });
  expect(of.docker.containers.get("kwdb")).toBe(old);
  expect(old.restart).toBe("unless-stopped");
});

it("is not set aside while the engine would start it beside the new one, nor brought back without its policy", async () => {
  const { of, old } = withOld();
  of.docker.stuck = "update";
  expect(await of.outcome("set-aside")).toBe("kwdb.restart-policy-left");
  expect(await of.probe("set-aside")).toBe("not-done");
  of.docker.stuck = undefined;
  expect(await of.outcome("set-aside")).toBe("done");

  of.docker.stuck = "update";
  expect(await of.run("bring-back")).toMatchObject({
    failure: { code: "kwdb.restart-policy-left", facts: { policy: "no", wanted: "unless-stopped" } },
  });
  expect(await of.probe("bring-back")).toBe("not-done");
  of.docker.stuck = undefined;
  expect(await of.outcome("bring-back")).toBe("done");
  expect(await of.probe("bring-back")).toBe("done");
  expect(old.restart).toBe("unless-stopped");
});

it("is brought back also by an agent that died when the engine had renamed it", async () => {
  const { of, old } = withOld();
  await of.run("set-aside");
  const record = await readSetAside(of.host, "kwdb", "r1");
  expect(record?.id).toBe(old.id);
  of.docker.rename(aside, "kwdb");
  expect(await of.probe("bring-back")).toBe("not-done");
  expect(await of.run("bring-back")).toMatchObject({ result: "done" });
  expect(old.restart).toBe("unless-stopped");
});

it("is not taken for brought back where a foreign container has its name", async () => {
  const { of, old } = withOld();
  await of.run("set-aside");
  const foreign = of.docker.container("kwdb", { restart: "always" });
  const back = await of.run("bring-back");
  expect(back).toMatchObject({ result: "failed", failure: { code: "kwdb.container-not-renamed" } });
  expect(back.result === "failed" ? render(back.failure).says : "").toContain("Conflict");
  expect(foreign.restart).toBe("always");
  // the record is what a later bring-back goes by
  of.docker.rename("kwdb", "elsewhere");
  expect(await of.run("bring-back")).toMatchObject({ result: "done" });
  expect(of.docker.containers.get("kwdb")).toBe(old);
  expect(old.restart).toBe("unless-stopped");
});

it("says that the name is taken, and not that the new container has another image", async () => {
  const { of } = withOld();
  const words = await wordsOf(of);
  await of.run("set-aside");
  of.docker.container("kwdb", { imageName: "theirs", image: "sha256:theirs" });
  const made = await of.run("create-container", { ...newImage, words });
  expect(made).toMatchObject({ result: "failed", failure: { code: "kwdb.container-not-created" } });
  expect(made.result === "failed" ? made.failure.facts["cause"] : "").toContain("Conflict");
});

it("a compose container that was made and not started is not up", async () => {
  const of = containerAgent({ compose: "/srv/docker-compose.yml" });
  const { image, name: imageName } = newImage;
  const made = of.docker.container("0123_kwdb", { image, imageName, status: "created" });
  of.docker.composed = "0123_kwdb";
  expect(await of.probe("up-container", newImage)).toBe("not-done");
  made.status = "running";
  expect(await of.probe("up-container", newImage)).toBe("done");
});

it("compose is not let stop an old container that runs again", async () => {
  const of = containerAgent({ compose: "/srv/docker-compose.yml" });
  of.docker.container("kwdb", { status: "running" });
  of.docker.composed = "kwdb";
  expect(await of.outcome("up-container", newImage)).toBe("kwdb.container-runs");
  expect(of.docker.asked).toEqual([]);
});

it("what was kept is let go also by an agent that died in between, and what stays is no success", async () => {
  const { of } = withOld();
  const label = "db1-3.0.0-to-3.0.1";
  await of.run("keep-image", { label });
  await of.run("set-aside");
  of.docker.stuck = "rm";
  expect(await of.outcome("forget-kept", { label })).toBe("kwdb.docker-failed");
  of.docker.stuck = undefined;
  for (const life of ["run", "again"] as const) {
    expect(await of[life]("forget-kept", { label })).toMatchObject({ result: "done" });
    expect(namesIn(of)).toEqual([]);
    expect(of.docker.images.has(`lockkeeper-kept:${label}-r1`)).toBe(false);
  }
  expect(await readSetAside(of.host, "kwdb", "r1")).toBeUndefined();
});

it("is brought back also by an agent that died when it had forgotten why", async () => {
  const { of } = withOld();
  await of.run("set-aside");
  await of.run("bring-back");
  expect(await of.again("bring-back")).toMatchObject({ result: "done" });
});
