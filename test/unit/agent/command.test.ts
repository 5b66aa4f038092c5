import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { agentProgram } from "#agent/command.ts";
import { engineKinds } from "#agent/engines/index.ts";
import { realDisk } from "#agent/host/disk.ts";

let place = "";

beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), "lockkeeper-agent-command-"));
});

afterEach(() => rm(place, { recursive: true, force: true }));

async function typed(...args: readonly string[]) {
  const said: string[] = [];
  const stream = { write: (text: string) => said.push(text) > 0 };
  const fake = { stdout: stream, stderr: stream, exitCode: 0 };
  const program = agentProgram({
    process: fake as unknown as NodeJS.Process,
    env: {},
    random: () => 0,
    kinds: engineKinds,
    disk: realDisk,
  });
  await program.parseAsync(args, { from: "user" });
  return { said: said.join(""), code: fake.exitCode };
}

async function fileFor(stateDir: string): Promise<string> {
  const file = join(place, "agent.yaml");
  await writeFile(
    file,
    `node: db1\ncoordinators: ["127.0.0.1:7440"]\nstateDir: ${stateDir}\nengine: { kind: kwdb, settings: {} }\n`,
  );
  return file;
}

describe("lockkeeper-agent", () => {
  it.each(["status", "why"])(
    "%s before the first start says so, where it looked, and what starts it",
    async (word) => {
      const file = await fileFor(join(place, "state"));
      const { said, code } = await typed(word, "--config", file);
      expect(code).toBe(1);
      expect(said).toContain(
        `the agent of db1 has not run here yet: there is no journal ${place}/state/journal`,
      );
      expect(said).toContain(`lockkeeper-agent run --config ${file}`);
      expect(said).not.toContain("ENOENT");
    },
  );

  it("does not run with a file for its state folder, and names it", async () => {
    await writeFile(join(place, "state"), "");
    const file = await fileFor(join(place, "state/deeper"));
    const { said, code } = await typed("run", "--config", file);
    expect(code).toBe(2);
    expect(said).toContain(`${place}/state/deeper cannot be the state folder: ${place}/state is a file`);
    expect(said).toContain(`\`stateDir:\` in ${file}`);
  });

  it.each(["run", "status", "why"])("%s names the configuration that is not there", async (word) => {
    const { said, code } = await typed(word, "--config", join(place, "missing.yaml"));
    expect(code).toBe(2);
    expect(said).toContain(`${place}/missing.yaml cannot be used: there is no such file`);
    expect(said).not.toContain("ENOENT");
  });
});
