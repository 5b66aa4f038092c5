import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { failureOf } from "#coordinator/cli/command.ts";
import { serveCommand } from "#coordinator/cli/commands/serve.ts";
import type { Shell } from "#coordinator/cli/run.ts";
import { systemClock } from "#proto/common/clock.ts";
import { makeLog } from "#proto/common/log.ts";

let place = "";

beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), "lockkeeper-serve-"));
});

afterEach(() => rm(place, { recursive: true, force: true }));

async function serving(settings: string, file = join(place, "coordinator.yaml")) {
  await writeFile(join(place, "coordinator.yaml"), settings);
  const notes: string[] = [];
  let code: number | undefined;
  const terminal = { version: "0", note: (text: string) => void notes.push(text) };
  const shell = { terminal, exit: (ended: number) => (code = ended) } as unknown as Shell;
  const command = serveCommand(shell, {
    clock: systemClock,
    random: () => 0,
    token: (characters) => "a".repeat(characters),
    hostName: "h",
    pid: 1,
    makeLog: () => makeLog("lockkeeper", { level: "error", journald: false, write: () => undefined }),
    terminated: AbortSignal.abort(),
  });
  await command.parseAsync(["--config", file], { from: "user" });
  return { code, said: notes.join("\n") };
}

describe("a coordinator that cannot begin", () => {
  it("names the state folder that is a file, and where it is set", async () => {
    const state = join(place, "state");
    await writeFile(state, "");
    const { code, said } = await serving(`stateDir: ${state}\n`);
    expect(code).toBe(2);
    expect(said).toContain(`${state} cannot be the state folder: ${state} is a file`);
    expect(said).toContain(`set \`stateDir:\` in ${join(place, "coordinator.yaml")} to a folder`);
    expect(said).not.toMatch(/defect|EEXIST| at .*:\d+:\d+/);
  });

  it("names the file of its own that it has no use of, without a stack", async () => {
    const id = join(place, "state/nats");
    await mkdir(join(place, "state"));
    await writeFile(id, "");
    const { said } = await serving(`stateDir: ${join(place, "state")}\nnats: { binary: /bin/true }\n`);
    expect(said).toContain(id);
    expect(said).not.toMatch(/defect| at .*:\d+:\d+/);
  });

  it("names the configuration that is not there, and what to write into one", async () => {
    const { code, said } = await serving("", join(place, "missing.yaml"));
    expect(code).toBe(2);
    expect(said).toContain(`${join(place, "missing.yaml")} cannot be used: there is no such file`);
    expect(said).toContain("deploy/coordinator.example.yaml");
  });

  it("calls a defect what is none of the system's refusals", () => {
    const refused = Object.assign(new Error("EACCES: …"), { code: "EACCES", syscall: "open", path: "/p" });
    expect(failureOf(refused)).toEqual({
      code: "internal.file",
      facts: { path: "/p", cause: "this user has no right to it" },
    });
    expect(failureOf(new TypeError("x"))).toMatchObject({ code: "internal.unexpected" });
  });
});
