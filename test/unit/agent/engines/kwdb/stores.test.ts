/** An archive is of what the database keeps, or there is none: the process is asked where that is. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { afterEach, describe, expect, it } from "vitest";
import type { Inspected } from "#agent/engines/kwdb/docker.ts";
import { storesIn } from "#agent/engines/kwdb/store-words.ts";
import { onlyStore, storesOfContainer, storesOfProcess } from "#agent/engines/kwdb/stores.ts";
import { succeed } from "#proto/common/failure.ts";
import { fakeHost } from "./fake-host.ts";
import { onHost } from "./installation.ts";

describe("the stores that a start names", () => {
  it.each([
    [["start", "--store=/data"], ["/data"]],
    [["start", "--store", "/data", "--insecure"], ["/data"]],
    [["start", "-s", "path=/data,attrs=ssd"], ["/data"]],
    [["start", "--store=attrs=ssd,path=/data"], ["/data"]],
    [
      ["start", "--store=/a", "--store=/b"],
      ["/a", "/b"],
    ],
    [["start", "--store-encryption=key", "--insecure"], ["kwbase-data"]],
  ])("%j", (words, stores) => {
    expect(storesIn(words)).toEqual(stores);
  });
});

describe("where the database that runs keeps its data", () => {
  const host = fakeHost();
  let child: ChildProcess | undefined;
  afterEach(() => child?.kill("SIGKILL"));

  async function running(...words: readonly string[]): Promise<number> {
    child = spawn(
      process.execPath,
      ["-e", "process.stdout.write('up'); setInterval(() => {}, 1000)", ...words],
      {
        cwd: tmpdir(),
      },
    );
    if (child.stdout !== null) await once(child.stdout, "data");
    return child.pid ?? 0;
  }

  it("is told by the words of its process, against its own folder", async () => {
    const pid = await running("start", `--store=${host.path("/data")}`, "--store=more");
    expect(await storesOfProcess(host, pid)).toEqual(succeed(["/data", `${tmpdir()}/more`]));
    expect(await storesOfProcess(host, 0)).toEqual(succeed([]));
  });

  it("is told by the mounts of its container", () => {
    const container = (words: string, Running = true): Inspected => ({
      Id: "1",
      Name: "/kwdb",
      Image: "sha256:1",
      State: { Status: "running", Running, Pid: 7, StartedAt: "" },
      Config: {
        Image: "kwdb",
        Cmd: ["/bin/bash", "-c", `/kaiwudb/bin/kwbase start ${words}`],
        Entrypoint: null,
        Env: null,
      },
      HostConfig: {},
      Mounts: [{ Type: "bind", Source: "/srv/kwdb", Destination: "/data" }],
    });
    expect(storesOfContainer(container("--store=/data/a --store=/data/b"))).toEqual(
      succeed(["/srv/kwdb/a", "/srv/kwdb/b"]),
    );
    expect(storesOfContainer(container("--store=/tmp"))).toMatchObject({
      failure: { code: "kwdb.container-data-inside" },
    });
    expect(storesOfContainer(container("--store=/tmp", false))).toEqual(succeed([]));
  });

  it.each([
    ["the same", ["/data"], true],
    ["the same behind a link", ["/link"], true],
    ["none, because it is down", [], true],
    ["another one", ["/other"], false],
    ["one more", ["/data", "/other"], false],
  ])("is what an archive is of: %s", async (_, stores, isSo) => {
    await mkdir(host.path("/data"), { recursive: true });
    await symlink(host.path("/data"), host.path("/link")).catch(() => undefined);
    const here = { ...onHost(host), stores: () => Promise.resolve(succeed(stores)) };
    expect(await onlyStore(here, "/data")).toMatchObject(
      isSo
        ? { ok: true, value: "/data" }
        : {
            ok: false,
            failure: { code: "kwdb.store-elsewhere", facts: { running: stores.join(", "), root: "/data" } },
          },
    );
  });
});
