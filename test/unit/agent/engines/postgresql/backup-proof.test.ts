/** The operator's command that proves a backup: asked rarely, never twice at once, and not believed for long. */
import { describe, expect, it } from "vitest";
import { backupProof } from "#agent/engines/postgresql/backup-proof.ts";
import { postgresqlSettings } from "#agent/engines/postgresql/settings.ts";
import type { Host, Look } from "#agent/verb.ts";
import { systemClock } from "#proto/common/clock.ts";

const ended = (exitCode: number, stdout = ""): Look => ({
  exitCode,
  signal: undefined,
  timedOut: false,
  stdout,
  stderr: "",
});

/** A host on which one command runs until the test ends it. */
function world(hooks: Readonly<Record<string, readonly string[]>> = { proveBackup: ["/bin/proof", "-v"] }) {
  const asked: { readonly argv: readonly string[]; readonly end: (look: Look) => void }[] = [];
  let nowMs = 0;
  const host: Host = {
    path: (path) => path,
    stateDir: "/",
    clock: { ...systemClock, now: () => nowMs, monotonicMs: () => nowMs },
    look: (argv) => new Promise((end) => asked.push({ argv, end })),
  };
  const proof = backupProof(host, { settings: postgresqlSettings.parse({ tools: "/tools", hooks }) });
  return { asked, proof, pass: (ms: number) => (nowMs += ms) };
}

describe("the proof of a backup", () => {
  it("is none where the agent's file names no command", async () => {
    const { asked, proof } = world({});
    expect(await proof()).toEqual({ ok: true, value: null });
    expect(asked).toEqual([]);
  });

  it("is what the command ends with, and its last line", async () => {
    const { asked, proof } = world();
    const said = proof();
    expect(asked[0]?.argv).toEqual(["/bin/proof", "-v"]);
    asked[0]?.end(ended(3, "looking\nnone since Monday\n\n"));
    expect(await said).toEqual({ ok: true, value: { exitCode: 3, lastLine: "none since Monday" } });
  });

  it("is asked once by all who ask meanwhile, and again after a minute", async () => {
    const { asked, proof, pass } = world();
    const both = [proof(), proof()];
    expect(asked).toHaveLength(1);
    asked[0]?.end(ended(0));
    expect(await Promise.all(both)).toEqual([
      { ok: true, value: { exitCode: 0, lastLine: "" } },
      { ok: true, value: { exitCode: 0, lastLine: "" } },
    ]);
    pass(59_999);
    await proof();
    expect(asked).toHaveLength(1);
    pass(1);
    await proof();
    expect(asked).toHaveLength(2);
  });

  it("holds while the next one is being made, and not for longer than that may take", async () => {
    const { asked, proof, pass } = world();
    const first = proof();
    asked[0]?.end(ended(0));
    await first;
    pass(119_999);
    expect(await proof()).toMatchObject({ value: { exitCode: 0 } });
    pass(1);
    const late = proof();
    expect(asked).toHaveLength(2);
    asked[1]?.end(ended(1, "gone"));
    expect(await late).toMatchObject({ value: { exitCode: 1, lastLine: "gone" } });
  });

  it.each<readonly [string, Partial<Look>, string]>([
    ["does not end", { exitCode: 0, timedOut: true }, "no end within 60 s"],
    ["is killed", { exitCode: undefined, signal: "SIGKILL" }, "SIGKILL"],
    ["is not there", { exitCode: undefined, spawnError: "ENOENT" }, "ENOENT"],
  ])("is not known where the command %s", async (_, look, cause) => {
    const { asked, proof } = world();
    const said = proof();
    asked[0]?.end({ ...ended(0), ...look });
    expect(await said).toMatchObject({ failure: { code: "postgresql.backup-not-asked", facts: { cause } } });
  });
});
