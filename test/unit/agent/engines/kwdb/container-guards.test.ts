/** Verbs on containers, over an engine in memory: what each guard keeps from happening. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import {
  containerAgent as agent,
  type ContainerAgent,
  namesIn as names,
  newId,
  newImage,
  newName,
  oldId,
  oldImage,
  oldName,
  wordsOf,
} from "./container-agent.ts";
import { idOf } from "./fake-docker.ts";

describe("a container set aside", () => {
  it("has another name and is not restarted by the engine, and comes back with its restart policy", async () => {
    const of = agent();
    expect(await of.probe("set-aside")).toBe("not-done");
    expect(await of.outcome("set-aside")).toBe("done");
    expect(names(of)).toEqual(["kwdb-before-r1"]);
    expect(of.docker.containers.get("kwdb-before-r1")?.restart).toBe("no");
    expect(await of.probe("set-aside")).toBe("done");
    expect(await of.outcome("bring-back")).toBe("done");
    expect(of.docker.containers.get("kwdb")?.restart).toBe("unless-stopped");
    expect(await of.probe("set-aside")).toBe("not-done");
  });

  it("is not one that runs, nor one that is not there", async () => {
    const of = agent();
    of.docker.container("kwdb", { status: "running" });
    expect(await of.outcome("set-aside")).toBe("kwdb.container-runs");
    expect(names(of)).toEqual(["kwdb"]);
    expect(of.docker.asked).toEqual([]);
    of.docker.containers.clear();
    expect(await of.outcome("set-aside")).toBe("kwdb.container-missing");
  });

  it("is brought back by the rollout alone that has set it aside", async () => {
    const of = agent();
    await of.outcome("set-aside");
    of.rollout = "r2";
    expect(await of.outcome("bring-back")).toBe("kwdb.container-missing");
    expect(names(of)).toEqual(["kwdb-before-r1"]);
  });

  it("stays beside that of a way back, and each goes by its own rollout's name", async () => {
    const of = agent();
    const words = await wordsOf(of);
    await of.outcome("set-aside");
    expect(await of.outcome("create-container", { ...newImage, words })).toBe("done");
    await of.outcome("keep-image", { label: "a" });
    of.rollout = "r2";
    expect(await of.outcome("set-aside")).toBe("done");
    expect(await of.outcome("create-container", { ...oldImage, words })).toBe("done");
    expect(names(of)).toEqual(["kwdb", "kwdb-before-r1", "kwdb-before-r2"]);
    expect(of.docker.containers.get("kwdb")?.image).toBe(oldId);
    expect(await of.outcome("forget-kept", { label: "a", of: "r1" })).toBe("done");
    expect(names(of)).toEqual(["kwdb", "kwdb-before-r2"]);
    expect(of.docker.images.has("lockkeeper-kept:a-r1")).toBe(false);
    expect(await of.outcome("forget-kept", { label: "b" })).toBe("done");
    expect(names(of)).toEqual(["kwdb"]);
  });

  it("is not removed while it runs", async () => {
    const of = agent();
    await of.outcome("set-aside");
    const aside = of.docker.containers.get("kwdb-before-r1");
    if (aside !== undefined) aside.status = "running";
    expect(await of.outcome("forget-kept", { label: "a" })).toBe("kwdb.container-runs");
    expect(names(of)).toEqual(["kwdb-before-r1"]);
  });
});

describe("a container created like another", () => {
  async function aside(): Promise<readonly [ContainerAgent, string]> {
    const of = agent();
    const words = await wordsOf(of);
    await of.outcome("set-aside");
    return [of, words];
  }

  it("is of the image that is wanted, by its id, under the name that it goes by", async () => {
    const [of, words] = await aside();
    expect(await of.probe("create-container", { ...newImage, words })).toBe("not-done");
    expect(await of.outcome("create-container", { ...newImage, words })).toBe("done");
    expect(of.docker.asked.at(-1)).toContain(` ${newName} ./kwbase start-single-node`);
    expect(await of.probe("create-container", { ...newImage, words })).toBe("done");
    expect(await of.probe("create-container", { ...oldImage, words })).toBe("not-done");
  });

  it("is not made by other words than the plan has shown", async () => {
    const [of] = await aside();
    expect(await of.outcome("create-container", { ...newImage, words: "0".repeat(64) })).toBe(
      "kwdb.container-changed",
    );
    expect(names(of)).toEqual(["kwdb-before-r1"]);
  });

  it("is found out where it lacks a word, or is of another image", async () => {
    const [of, words] = await aside();
    of.docker.loses = "SITE=north";
    expect(await of.run("create-container", { ...newImage, words })).toMatchObject({
      failure: { code: "kwdb.container-differs", facts: { lost: expect.stringContaining("SITE=north") } },
    });
    const [again, same] = await aside();
    again.docker.images.set(newName, oldId);
    expect(await again.outcome("create-container", { ...newImage, words: same })).toBe("kwdb.image-other");
  });

  it("is taken away only if it never ran, and only if it is of that image", async () => {
    const [of, words] = await aside();
    await of.outcome("create-container", { ...newImage, words });
    expect(await of.run("remove-container", oldImage)).toMatchObject({ outputs: { found: "another" } });
    const made = of.docker.containers.get("kwdb");
    if (made !== undefined) made.status = "exited";
    expect(await of.outcome("remove-container", newImage)).toBe("kwdb.container-runs");
    expect(names(of)).toEqual(["kwdb", "kwdb-before-r1"]);
    if (made !== undefined) made.status = "created";
    expect(await of.outcome("remove-container", newImage)).toBe("done");
    expect(names(of)).toEqual(["kwdb-before-r1"]);
  });
});

describe("the old image", () => {
  it("is proven by its id and by the version in it, before anything is stopped", async () => {
    const of = agent();
    expect(await of.outcome("prove-old-image", oldImage)).toBe("done");
    expect(await of.outcome("prove-old-image", { ...oldImage, version: "3.0.2" })).toBe("kwdb.image-version");
    expect(await of.outcome("prove-old-image", { ...oldImage, image: idOf("9") })).toBe("kwdb.image-missing");
  });

  it("gets its name back from what was kept", async () => {
    const of = agent();
    await of.outcome("keep-image", { label: "a" });
    of.docker.images.delete(oldName);
    expect(await of.probe("restore-image", oldImage)).toBe("not-done");
    expect(await of.outcome("restore-image", oldImage)).toBe("done");
    expect(of.docker.images.get(oldName)).toBe(oldId);
    expect(await of.probe("restore-image", oldImage)).toBe("done");
    const before = of.docker.asked.length;
    expect(await of.outcome("restore-image", oldImage)).toBe("done");
    expect(of.docker.asked.length).toBe(before);
  });

  it("takes no name away from another image", async () => {
    const of = agent();
    of.docker.images.set(oldName, newId);
    for (const verb of ["prove-old-image", "restore-image"])
      expect(await of.run(verb, oldImage)).toMatchObject({
        failure: { code: "kwdb.image-name-taken", facts: { image: oldName, found: newId } },
      });
    expect(of.docker.images.get(oldName)).toBe(newId);
  });
});

describe("an image line", () => {
  const file = "/srv/kwdb/docker-compose.yml";
  const text = `services:\n  db:\n    image: ${newName} # ours\n    restart: always\n`;

  function composed(): ContainerAgent {
    const of = agent({ compose: file });
    of.docker.composed = "kwdb";
    mkdirSync(dirname(of.host.path(file)), { recursive: true });
    writeFileSync(of.host.path(file), text);
    return of;
  }
  const read = (of: ContainerAgent) => readFileSync(of.host.path(file), "utf8");

  it("names the wanted image, everything else stays, and the text of before comes back", async () => {
    const of = composed();
    expect(await of.probe("change-image-line", oldImage)).toBe("not-done");
    expect(await of.outcome("change-image-line", oldImage)).toBe("done");
    expect(read(of)).toBe(text.replace(newName, oldName));
    expect(await of.probe("change-image-line", oldImage)).toBe("done");
    expect(await of.outcome("prove-image", oldImage)).toBe("done");
    expect(await of.outcome("restore-image-line")).toBe("done");
    expect(read(of)).toBe(text);
  });

  it("gives back the image alone: what its operator has written meanwhile stays", async () => {
    const of = composed();
    expect(await of.outcome("change-image-line", oldImage)).toBe("done");
    const own = `${read(of)}    environment:\n      A: b\n`;
    writeFileSync(of.host.path(file), own);
    expect(await of.outcome("restore-image-line")).toBe("done");
    expect(read(of)).toBe(own.replace(oldName, newName));
    writeFileSync(of.host.path(file), `${own}  other:\n    image: x\n`);
    expect(await of.outcome("restore-image-line")).toBe("kwdb.compose-images");
  });

  it("stays as it is where there are two, and where the image is not there", async () => {
    const of = composed();
    expect(await of.outcome("change-image-line", { ...oldImage, image: idOf("9") })).toBe(
      "kwdb.image-missing",
    );
    expect(read(of)).toBe(text);
    writeFileSync(of.host.path(file), `${text}  other:\n    image: x\n`);
    expect(await of.outcome("change-image-line", oldImage)).toBe("kwdb.compose-images");
    expect(read(of)).toContain(newName);
  });

  it("stands in the file in which deploy.sh leaves the flag of an online upgrade, and it is found there", async () => {
    const of = composed();
    expect(await of.facts()).toMatchObject({ upgradeCompleteFlag: { value: false } });
    writeFileSync(of.host.path(file), `${text}    command: kwbase start --upgrade-complete\n`);
    expect(await of.facts()).toMatchObject({ upgradeCompleteFlag: { value: true } });
  });

  it("without a container tells which image is kept", async () => {
    const of = composed();
    of.docker.containers.clear();
    expect(await of.run("keep-image", { label: "a" })).toMatchObject({ outputs: { id: newId } });
  });

  it("is proven only when a start would take that image", async () => {
    expect(await composed().outcome("prove-image", oldImage)).toBe("kwdb.image-other");
  });
});

describe("data in a volume of the engine", () => {
  const args = { label: "a", rollout: "r1", stage: "node" };
  const volume = [
    { Type: "volume", Name: "rows", Source: "/var/lib/docker/volumes/rows/_data", Destination: "/data/kwdb" },
  ];

  it("is not put back from an archive: what is laid beside it would go with the volume", async () => {
    const of = agent({ container: "kwdb", archiveDir: "/srv/archives" });
    expect(await of.outcome("prove-way-back", args)).toBe("kwdb.archive-missing");
    of.docker.container("kwdb", { mounts: volume, binds: ["rows:/data/kwdb"] });
    for (const verb of ["prove-way-back", "restore-data"])
      expect(await of.run(verb, args)).toMatchObject({
        failure: { code: "kwdb.data-in-volume", facts: { volume: "rows" } },
      });
    expect(await of.probe("restore-data", args)).toBe("unknown");
  });
});
