import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { exitCodes } from "#coordinator/cli/exit-code.ts";
import { init } from "./desk.ts";

let place = "";
let out = "";
beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), "lockkeeper-init-"));
  out = join(place, "move");
});
afterEach(() => rm(place, { recursive: true, force: true }));

const near = ["--old", "127.0.0.1:5432", "--new", "127.0.0.1:5433"];

describe("the folder of init", () => {
  it("is refused at once where the file system takes none", async () => {
    const { code, said } = await init("/proc/lockkeeper-nowhere", near);
    expect(code).toBe(exitCodes.usage);
    expect(said).toMatch(/\/proc\/lockkeeper-nowhere\/inventory\.yaml cannot be written: there is no such/);
  }, 2_000);

  it("is refused in plain words where a file stands", async () => {
    await writeFile(out, "mine\n");
    const { code, said } = await init(out, near);
    expect(code).toBe(exitCodes.usage);
    expect(said).toContain(`${out}/inventory.yaml cannot be written: a part of its path is a file`);
    expect(said).not.toMatch(/EEXIST|mkdir/);
    expect(await readdir(place)).toEqual(["move"]);
  });
});
