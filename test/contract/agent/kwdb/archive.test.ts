/** The archive of a stopped node's data: whole, private, and the one from before kept. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DemoHost } from "#test/doubles/host/create-host.ts";
import type { BuiltPackage } from "#test/doubles/kwdb/build-package.ts";
import type { Bench } from "../../kwdb-double/fixture.ts";
import { KwdbDriver } from "./driver.ts";
import { packages } from "./packages.ts";

let bench: Bench;
let old: BuiltPackage;

beforeAll(async () => {
  ({ bench, old } = await packages());
});
afterAll(() => bench.end());

describe("the archive of a stopped node's data", () => {
  const about = { cluster: "billing", node: "db1", from: "3.0.0", to: "3.1.0" };
  const label = { label: "db1-3.0.0-to-3.1.0", ...about, kind: "node-image" };
  const fileOf = (rollout: string) => `/backup/${label.label}-${rollout}.tar`;
  const made = (of: string) => expect.objectContaining({ file: of, bytes: expect.any(String) });
  const file = fileOf("r1");

  async function withFolder(): Promise<{ readonly agent: KwdbDriver; readonly host: DemoHost }> {
    const host = await bench.host(old);
    mkdirSync(host.path("/backup"));
    return { host, agent: new KwdbDriver(host, bench.dir, { settings: { archiveDir: "/backup" } }) };
  }

  /** With this in the data folder. */
  async function archived({ host, agent }: Awaited<ReturnType<typeof withFolder>>, data: string) {
    writeFileSync(host.path("/var/lib/kaiwudb/data"), data);
    const result = await agent.run("archive-data", label);
    return result.result === "done" ? result.outputs : result.failure;
  }

  const recordIn = (host: DemoHost) =>
    JSON.parse(readFileSync(host.path(`${file}.json`), "utf8")) as Record<string, unknown>;
  const spares = (host: DemoHost) =>
    readdirSync(host.path("/backup")).filter((name) => name.includes(".unpacked"));
  const linesIn = (host: DemoHost, name: string) =>
    readFileSync(host.path(name), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const sha256 = (host: DemoHost, name: string) =>
    createHash("sha256")
      .update(readFileSync(host.path(name)))
      .digest("hex");

  /** The file's content in the archive is another, of the same length. */
  function spoilInside(host: DemoHost, name: string): void {
    const bytes = readFileSync(host.path(name));
    const at = bytes.indexOf("first\0");
    bytes.write("wrong", at);
    writeFileSync(host.path(name), bytes);
  }

  const dataIn = (host: DemoHost, name: string) =>
    execFileSync("tar", ["-xOf", host.path(name), "./data"], { encoding: "utf8" });

  it("is made whole, for no other eyes, and says which try has made it", async () => {
    const { agent, host } = await withFolder();
    expect((await agent.fullFacts()).archive).toMatchObject({
      value: { folder: "/backup", dataBytes: expect.any(Number) },
    });
    expect(await archived({ agent, host }, "first")).toEqual(made(file));
    expect(dataIn(host, file)).toBe("first");
    const names = readdirSync(host.path("/backup"));
    const name = path.basename(file);
    expect(names.sort()).toEqual([name, `${name}.json`, `${name}.manifest`]);
    for (const each of names) expect(statSync(host.path(`/backup/${each}`)).mode & 0o777).toBe(0o600);
    expect(recordIn(host)).toEqual({
      format: 1,
      label: expect.stringMatching(/^not a cluster backup/),
      ...about,
      ...{ rollout: "r1", stage: "node", attempt: 1, begunBefore: "nothing" },
      madeAt: expect.stringMatching(/^\d{4}-.*Z$/),
      bytes: statSync(host.path(file)).size,
      dataBytes: expect.any(Number),
      dataRoot: "/var/lib/kaiwudb",
      kind: "node-image",
      manifest: { sha256: sha256(host, `${file}.manifest`), entries: expect.any(Number), attributes: false },
      proven: null,
    });
  });

  it("that is part of a common stop says so", async () => {
    const { agent, host } = await withFolder();
    expect(await agent.outcome("archive-data", { ...label, kind: "cluster-stop" })).toBe("done");
    expect(recordIn(host)).toMatchObject({
      kind: "cluster-stop",
      label: expect.stringMatching(/^part of a cluster's backup/),
    });
  });

  it("has a manifest of every file: type, mode, owner, time, size, digest, target", async () => {
    const { agent, host } = await withFolder();
    const root = host.path("/var/lib/kaiwudb");
    mkdirSync(path.join(root, "deep/er"), { recursive: true, mode: 0o750 });
    writeFileSync(path.join(root, "deep/er/file"), "hello", { mode: 0o640 });
    symlinkSync("er/file", path.join(root, "deep/link"));
    await archived({ agent, host }, "first");
    const [head, ...rest] = linesIn(host, `${file}.manifest`);
    const foot = rest.pop();
    expect([head, foot]).toEqual([{ format: 1, attributes: false }, { entries: rest.length }]);
    const paths = rest.map((entry) => entry["path"]);
    const listed = execFileSync("tar", ["-tf", host.path(file)], { encoding: "utf8" })
      .trim()
      .split("\n");
    const tarred = listed.map((each) => each.replace(/^\.\//, "").replace(/\/$/, "") || ".");
    expect([...paths].sort()).toEqual(tarred.sort());
    const own = {
      uid: process.getuid?.(),
      gid: process.getgid?.(),
      mtimeNs: expect.stringMatching(/^\d{19}$/),
    };
    expect(rest.find((entry) => entry["path"] === "deep/er/file")).toEqual({
      ...{ path: "deep/er/file", type: "file", mode: "0640", size: 5, ...own },
      sha256: "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
    });
    expect(rest.find((entry) => entry["path"] === "deep/link")).toEqual({
      ...{ path: "deep/link", type: "link", mode: "0777", target: "er/file", ...own },
    });
  });

  it("of this try stays as it is when the agent comes back after its own death", async () => {
    const bed = await withFolder();
    await archived(bed, "first");
    expect(await archived(bed, "second")).toMatchObject({ found: "archived before" });
    expect(dataIn(bed.host, file)).toBe("first");
  });

  it("of an earlier try is the original once the upgrade has begun, and is made anew before", async () => {
    const bed = await withFolder();
    await archived(bed, "first");
    bed.agent.attempt = 2;
    bed.agent.begunBefore = "reversible";
    expect(await archived(bed, "second")).not.toHaveProperty("found");
    expect([dataIn(bed.host, file), dataIn(bed.host, `${file}.before`)]).toEqual(["second", "first"]);
    bed.agent.attempt = 3;
    bed.agent.begunBefore = "irreversible";
    expect(await archived(bed, "third")).toMatchObject({ file, found: "archived before" });
    expect(dataIn(bed.host, file)).toBe("second");
  });

  it("of another rollout is not this one's, however often this one has tried, and stays", async () => {
    const bed = await withFolder();
    await archived(bed, "first");
    bed.agent.rollout = "r2";
    bed.agent.attempt = 2;
    expect(await archived(bed, "second")).toEqual(made(fileOf("r2")));
    expect([dataIn(bed.host, file), dataIn(bed.host, fileOf("r2"))]).toEqual(["first", "second"]);
  });

  it.each<readonly [string, (file: string) => void]>([
    ["without its origin", (origin) => rmSync(origin)],
    ["with an origin that is no JSON", (origin) => writeFileSync(origin, "{")],
    [
      "with another rollout's origin",
      (origin) =>
        writeFileSync(origin, '{"rollout":"r0","stage":"node","attempt":1,"begunBefore":"nothing"}'),
    ],
    [
      "with another stage's origin",
      (origin) => writeFileSync(origin, '{"rollout":"r1","stage":"x","attempt":1,"begunBefore":"nothing"}'),
    ],
  ])("%s is nobody's: made anew, and kept beside", async (_, spoil) => {
    const bed = await withFolder();
    await archived(bed, "first");
    spoil(bed.host.path(`${file}.json`));
    expect(await archived(bed, "second")).not.toHaveProperty("found");
    expect([dataIn(bed.host, file), dataIn(bed.host, `${file}.before`)]).toEqual(["second", "first"]);
  });

  it("that is gone when the upgrade has begun is made, and the rollout's end says that it is too late", async () => {
    const bed = await withFolder();
    bed.agent.attempt = 2;
    bed.agent.begunBefore = "irreversible";
    const late = { "not-seen.old-data": expect.stringContaining("after an upgrade had been begun") };
    expect(await archived(bed, "second")).toMatchObject(late);
    bed.agent.attempt = 3;
    expect(await archived(bed, "third")).toMatchObject({ found: "archived before", ...late });
  });

  it("is proven file by file: other content, another mode, a file that is gone, an archive cut short", async () => {
    const spoils: readonly (readonly [string, (host: DemoHost) => void])[] = [
      ["content", (host) => writeFileSync(host.path("/var/lib/kaiwudb/data"), "other")],
      ["one more", (host) => writeFileSync(host.path("/var/lib/kaiwudb/zzz"), "")],
      ["archive rotten", (host) => spoilInside(host, file)],
      ["manifest", (host) => appendFileSync(host.path(`${file}.manifest`), "\n")],
      ["mode", (host) => chmodSync(host.path("/var/lib/kaiwudb/data"), 0o755)],
      ["gone", (host) => rmSync(host.path("/var/lib/kaiwudb/data"))],
      ["archive", (host) => truncateSync(host.path(file), 600)],
    ];
    for (const [what, spoil] of spoils) {
      const bed = await withFolder();
      await archived(bed, "first");
      spoil(bed.host);
      expect(await bed.agent.outcome("prove-archive", label), what).toBe("kwdb.archive-differs");
      expect(spares(bed.host)).toEqual([]);
      expect(recordIn(bed.host)["proven"], what).toBeNull();
    }
  });

  it("is not proven where it is not there or another rollout's, and was proven before where the upgrade has begun", async () => {
    const bed = await withFolder();
    expect(await bed.agent.outcome("prove-archive", label)).toBe("kwdb.archive-missing");
    await archived(bed, "first");
    bed.agent.rollout = "r2";
    expect(await bed.agent.outcome("prove-archive", label)).toBe("kwdb.archive-missing");
    bed.agent.rollout = "r1";
    expect(await bed.agent.outcome("prove-archive", label)).toBe("done");
    bed.agent.attempt = 2;
    bed.agent.begunBefore = "irreversible";
    writeFileSync(bed.host.path("/var/lib/kaiwudb/data"), "of the new version");
    expect(await bed.agent.run("prove-archive", label)).toMatchObject({
      outputs: { found: "proven before" },
    });
  });

  it("never proven before the upgrade began is compared with its manifest alone", async () => {
    const bed = await withFolder();
    await archived(bed, "first");
    bed.agent.attempt = 2;
    bed.agent.begunBefore = "irreversible";
    writeFileSync(bed.host.path("/var/lib/kaiwudb/data"), "of the new version");
    expect(await bed.agent.outcome("prove-archive", label)).toBe("done");
    await archived(bed, "late");
    writeFileSync(bed.host.path(`${file}.json`), JSON.stringify({ ...recordIn(bed.host), proven: null }));
    spoilInside(bed.host, file);
    expect(await bed.agent.outcome("prove-archive", label)).toBe("kwdb.archive-differs");
  });

  it("is unpacked to be proven, and nothing of that is left", async () => {
    const bed = await withFolder();
    await archived(bed, "first");
    expect(await bed.agent.outcome("prove-archive", label)).toBe("done");
    expect(spares(bed.host)).toEqual([]);
    expect(recordIn(bed.host)["proven"]).toEqual({ at: expect.any(String), attempt: 1 });
    expect((await bed.agent.fullFacts()).archives).toMatchObject({
      value: [
        { path: file, about: { ...{ cluster: "billing", node: "db1", version: "3.0.0" }, isProven: true } },
      ],
    });
    expect(await bed.agent.run("prove-archive", label)).toMatchObject({
      outputs: { found: "proven before" },
    });
  });

  it("is proven again by the agent's next life, whenever the last one died", async () => {
    const bed = await withFolder();
    await archived(bed, "first");
    await bed.agent.run("prove-archive", label);
    // died after the copy was removed and before it was said that it is proven
    const unproven = { ...recordIn(bed.host), proven: null };
    writeFileSync(bed.host.path(`${file}.json`), JSON.stringify(unproven));
    expect(await bed.agent.again("prove-archive", label)).toMatchObject({ result: "done" });
    expect(recordIn(bed.host)["proven"]).not.toBeNull();
    // died while it removed the copy
    mkdirSync(bed.host.path(`${file}.unpacked.gone/half`), { recursive: true });
    mkdirSync(bed.host.path(`${file}.unpacked/half`), { recursive: true });
    expect(await bed.agent.again("prove-archive", label)).toMatchObject({ result: "done" });
    expect(spares(bed.host)).toEqual([]);
  });

  it("does not trust a copy that an earlier try has left", async () => {
    const bed = await withFolder();
    await archived(bed, "first");
    mkdirSync(bed.host.path(`${file}.unpacked`));
    writeFileSync(bed.host.path(`${file}.unpacked/stray`), "x");
    expect(await bed.agent.outcome("prove-archive", label)).toBe("done");
    expect(spares(bed.host)).toEqual([]);
  });

  it("sweeps what a crash has left of its own node's copies, and of no other's", async () => {
    const bed = await withFolder();
    await archived(bed, "first");
    const other = "/backup/db10-3.0.0-to-3.1.0-r1.tar";
    writeFileSync(bed.host.path(`${other}.json`), JSON.stringify({ ...recordIn(bed.host), node: "db10" }));
    for (const each of [file, other, "/backup/strange.tar"]) mkdirSync(bed.host.path(`${each}.unpacked`));
    bed.agent.rollout = "r2";
    await archived(bed, "second");
    expect(spares(bed.host).sort()).toEqual([`${path.basename(other)}.unpacked`, "strange.tar.unpacked"]);
  });

  it("keeps holes as holes", async () => {
    const bed = await withFolder();
    const big = bed.host.path("/var/lib/kaiwudb/sparse");
    writeFileSync(big, "");
    truncateSync(big, 64 * 1024 * 1024);
    await archived(bed, "first");
    expect(statSync(bed.host.path(file)).size).toBeLessThan(8 * 1024 * 1024);
    expect(await bed.agent.outcome("prove-archive", label)).toBe("done");
  });

  it("goes when later ones are there and proven, all of it, and what nobody knows stays", async () => {
    const bed = await withFolder();
    for (const rollout of ["r1", "r2", "r3"]) {
      bed.agent.rollout = rollout;
      await archived(bed, rollout);
      expect(await bed.agent.outcome("prove-archive", label)).toBe("done");
    }
    writeFileSync(bed.host.path("/backup/strange.tar"), "");
    const given = { cluster: "billing", node: "db1", keep: "2" };
    expect(await bed.agent.run("remove-old-archives", given)).toMatchObject({
      outputs: { removed: fileOf("r1"), "left-alone": expect.stringContaining("/backup/strange.tar") },
    });
    const names = readdirSync(bed.host.path("/backup")).sort();
    const left = ["r2", "r3"].flatMap((rollout) =>
      ["", ".json", ".manifest"].map((suffix) => `${path.basename(fileOf(rollout))}${suffix}`),
    );
    expect(names).toEqual([...left, "strange.tar"].sort());
    expect(await bed.agent.run("remove-old-archives", given)).toMatchObject({ outputs: { removed: "none" } });
  });

  it("is not made without a folder, or where there is none", async () => {
    const plain = new KwdbDriver(await bench.host(old), bench.dir);
    expect(await plain.outcome("archive-data", label)).toBe("kwdb.archive-not-configured");
    const { agent, host } = await withFolder();
    rmSync(host.path("/backup"), { recursive: true });
    expect(await agent.outcome("archive-data", label)).toBe("file.unreadable");
    expect((await agent.fullFacts()).archive).toHaveProperty("unknown");
  });
});
