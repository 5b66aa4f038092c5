import { mkdir, mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { render } from "#proto/catalogue/render.ts";
import { openStateFolder } from "#proto/common/state-folder.ts";

let place = "";

beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), "lockkeeper-state-"));
});

afterEach(() => rm(place, { recursive: true, force: true }));

const make = (folder: string) => mkdir(folder, { recursive: true });

async function refusedWith(folder: string, making = make) {
  const opened = await openStateFolder({ folder, make: making, namedIn: "/etc/lockkeeper/agent.yaml" });
  if (opened.ok) throw new Error("it was opened");
  return opened.failure;
}

describe("a state folder", () => {
  it("is made where it is missing", async () => {
    const folder = join(place, "a/b");
    expect(await openStateFolder({ folder, make, namedIn: "f" })).toMatchObject({ ok: true });
    expect((await stat(folder)).isDirectory()).toBe(true);
  });

  it.each(["state", "state/below/it"])("is no file and stands below none: %s", async (path) => {
    await writeFile(join(place, "state"), "");
    const failure = await refusedWith(join(place, path));
    expect(failure).toMatchObject({
      code: "state-folder.is-file",
      facts: { folder: join(place, path), at: join(place, "state") },
    });
    expect(render(failure).next).toContain("`stateDir:` in /etc/lockkeeper/agent.yaml");
  });

  it.each(["link", "link/below"])("is not reached by a link that leads nowhere: %s", async (path) => {
    await symlink(join(place, "nowhere/at/all"), join(place, "link"));
    expect(await refusedWith(join(place, path))).toMatchObject({
      code: "state-folder.dangling",
      facts: { at: place },
    });
  });

  it.each([
    ["EACCES", "state-folder.forbidden", "may not write in"],
    ["EROFS", "state-folder.read-only", "read-only file system"],
    ["ENOSPC", "state-folder.disk-full", "no room left"],
    ["ELOOP", "state-folder.unusable", "too many links"],
  ])("that the system refuses with %s is told as what it is, with the place", async (code, wanted, says) => {
    const refusing = () => Promise.reject(Object.assign(new Error("too many links"), { code }));
    const failure = await refusedWith(join(place, "missing/state"), refusing);
    expect(failure).toMatchObject({ code: wanted, facts: { at: place } });
    expect(render(failure).says).toContain(says);
  });
});
